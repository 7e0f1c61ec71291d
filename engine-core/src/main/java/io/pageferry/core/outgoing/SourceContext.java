package io.pageferry.core.outgoing;

import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.flow.Outbox;
import io.pageferry.core.link.flow.RenewableLink;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationListener.Level;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.precopy.GuestThrottle;
import io.pageferry.core.precopy.RateLimiter;
import io.pageferry.core.precopy.RoundRunner;
import java.io.IOException;
import java.util.Optional;

/** What the phases of one source migration share: parts, state, epoch, and how to end. */
final class SourceContext {
    /** How often the guest is asked whether it still lives. */
    private static final long GUEST_CHECK_NANOS = 50_000_000L;

    /** How often it is asked whether it was changed. */
    private static final long CHANGE_CHECK_NANOS = 500_000_000L;

    final SourceParts parts;
    final Outbox outbox;
    final Progress progress = new Progress();
    final RoundRunner runner;
    final RenewableLink link;
    final SessionResume reconnection;
    final GuestThrottle throttle;
    final long startNanos;
    private SourceState state = SourceState.NEGOTIATING;
    private Outcome outcome;
    private long epoch;
    private boolean ran;
    private long nextGuestCheck;
    private long nextChangeCheck;

    SourceContext(SourceParts given) {
        this.link = new RenewableLink(given.link());
        this.parts = given.over(link);
        this.outbox = new Outbox(link);
        this.runner = new RoundRunner(parts.guest().memory(), parts.guest().tracker(),
                new PageEncoder(parts.options().codec(), parts.clock()),
                new RateLimiter(parts.clock(), parts.options().limits().bandwidth()));
        this.throttle = new GuestThrottle(parts.guest().throttle(),
                parts.options().limits().throttling());
        this.reconnection = new SessionResume(this, parts.opener());
        this.startNanos = parts.clock().nanoTime();
        this.nextGuestCheck = startNanos;
        this.nextChangeCheck = startNanos + CHANGE_CHECK_NANOS;
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
        parts.listener().state(next.label(), epoch);
    }

    /** Whatever comes after pre-copy, the guest is not slowed down in it. */
    void liftThrottle() {
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

    /**
     * Looks now and then whether the guest ended by itself. Asked as long as it runs here, also
     * where nothing but a last word is outstanding: what waits for the agent's ear goes on then.
     */
    Optional<Outcome> guestEnded() {
        if (now() - nextGuestCheck < 0) {
            return Optional.empty();
        }
        nextGuestCheck = now() + GUEST_CHECK_NANOS;
        return parts.guest().ended().map(why -> Outcome.of(Outcome.Result.GUEST_ENDED,
                ErrorCode.GUEST_ENDED, why, Outcome.Side.SOURCE));
    }

    /**
     * Looks now and then whether the guest can still be moved.
     *
     * @throws GuestException when it was changed, and cannot be moved like this
     */
    void requireUnchanged() throws GuestException {
        if (now() - nextChangeCheck >= 0 && parts.guest().ended().isEmpty()) {
            nextChangeCheck = now() + CHANGE_CHECK_NANOS;
            parts.guest().requireUnchanged();
        }
    }

    /** For records whose act is right whether or not they reach the disk. */
    void record(JournalState what, long of, String note) {
        try {
            parts.journal().write(new JournalRecord(what, of, ran, note));
        } catch (IOException e) {
            warn("cannot write " + what + " to the journal: " + e.getMessage());
        }
    }

    void tellTarget(ErrorCode code, String reason) {
        outbox.send(new Message.Cancel(epoch, code, reason));
    }

    /** What a guest's failure is to the migration. */
    static Outcome outcomeOf(GuestException guest) {
        return Outcome.of(guest.code() == ErrorCode.GUEST_ENDED ? Outcome.Result.GUEST_ENDED
                : Outcome.Result.FAILED, guest.code(), guest.getMessage(), Outcome.Side.SOURCE)
                .withRemedy(guest.remedy());
    }

    /**
     * Takes a READY in; returns whether its image is what was sent.
     *
     * @param pausedNanos for so long the guest is paused; what the target says it took is less
     */
    boolean accepts(Message.Ready ready, long pausedNanos) {
        figures().add(MigrationFigures.Part.VERIFY, Math.min(ready.walkNanos(), pausedNanos));
        figures().add(MigrationFigures.Part.STATE_LOAD,
                Math.min(ready.loadNanos(), pausedNanos));
        return !parts.options().verification().isAsked() || digestIs(ready.digest());
    }

    /** Compares the target's digest with that of what was sent. */
    boolean digestIs(long target) {
        long ours = runner.sent().digest();
        figures().digests(ours, target, runner.sent().pages());
        return ours == target;
    }

    /** Closes every link that was opened after the first, which is the caller's. */
    void closeLinks() {
        reconnection.close();
        if (link.isRenewed()) {
            link.close();
        }
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
