package io.pageferry.core.source;

import io.pageferry.core.codec.PageEncoder;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.Outbox;
import io.pageferry.core.migration.JournalRecord;
import io.pageferry.core.migration.JournalState;
import io.pageferry.core.migration.MigrationFigures;
import io.pageferry.core.migration.MigrationListener.Level;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.round.GuestThrottle;
import io.pageferry.core.round.Pacer;
import io.pageferry.core.round.RoundRunner;
import java.io.IOException;

/** What the phases of one source migration share: parts, state, epoch, and how to end. */
final class SourceContext {
    final SourceParts parts;
    final Outbox outbox;
    final Progress progress = new Progress();
    final RoundRunner runner;
    final GuestThrottle throttle;
    final long startNanos;
    private SourceState state = SourceState.NEGOTIATING;
    private Outcome outcome;
    private long epoch;
    private boolean ran;

    SourceContext(SourceParts parts) {
        this.parts = parts;
        this.outbox = new Outbox(parts.link());
        this.runner = new RoundRunner(parts.guest().memory(), parts.guest().tracker(),
                new PageEncoder(parts.options().codec(), parts.clock()),
                new Pacer(parts.clock(), parts.options().limits().bandwidth()));
        this.throttle = new GuestThrottle(parts.guest().throttle(),
                parts.options().limits().throttling());
        this.startNanos = parts.clock().nanoTime();
    }

    SourceState state() {
        return state;
    }

    Outcome outcome() {
        return outcome;
    }

    long epoch() {
        return epoch;
    }

    /** Whether the guest ran before it was paused: only what ran is ever resumed. */
    boolean ran() {
        return ran;
    }

    MigrationFigures figures() {
        return progress.figures();
    }

    /** J(SWITCHOVER): nothing was changed when this fails. */
    void beginEpoch(boolean guestRan, String why) throws IOException {
        parts.journal().write(
                new JournalRecord(JournalState.SWITCHOVER, epoch + 1, guestRan, why));
        ran = guestRan;
        epoch++;
        figures().owner("source", epoch);
    }

    void enter(SourceState next) {
        state = next;
        if (next != SourceState.NEGOTIATING && next != SourceState.PRECOPY) {
            liftThrottle();
        }
        parts.listener().state(next.word(), epoch);
    }

    /** Whatever comes after pre-copy, the guest is not slowed down in it. */
    private void liftThrottle() {
        throttle.lift(now());
        figures().slowdown(throttle.stolenNanos(), throttle.lastedNanos(),
                throttle.maxPercent());
    }

    void finish(Outcome end) {
        if (state == SourceState.PRECOPY) {
            record(JournalState.SETTLED, epoch, end.reason());
        }
        outcome = end;
        enter(SourceState.ENDED);
    }

    /** For records whose act is right whether or not they reach the disk. */
    void record(JournalState what, long of, String note) {
        try {
            parts.journal().write(new JournalRecord(what, of, ran, note));
        } catch (IOException lost) {
            warn("cannot write " + what + " to the journal: " + lost.getMessage());
        }
    }

    void tellTarget(ErrorCode code, String reason) {
        outbox.send(new Message.Cancel(epoch, code, reason));
    }

    void log(String line) {
        parts.listener().log(Level.INFO, line);
    }

    void warn(String line) {
        parts.listener().log(Level.WARN, line);
    }

    long now() {
        return parts.clock().nanoTime();
    }
}
