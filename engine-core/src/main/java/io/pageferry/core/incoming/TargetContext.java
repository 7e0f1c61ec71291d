package io.pageferry.core.incoming;

import io.pageferry.core.handover.Journal;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.link.flow.Outbox;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.MigrationListener.Level;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;

/** What the phases of one target migration share: parts, state, epoch, and how to end. */
final class TargetContext {
    /** Upper half of the feature bits: what the source demands. */
    private static final long MANDATORY = 0xffff_ffff_0000_0000L;

    /** Messages that may wait for a link that takes none: an honest source reads them. */
    private static final int MOST_WAITING = 64;

    final TargetParts parts;
    final TargetFigures figures = new TargetFigures();
    private TargetLink link;
    private Outbox outbox;
    private Journal journal;
    private TargetState state = TargetState.WAITING;
    private Outcome outcome;
    private long epoch;
    private boolean runs = true;

    TargetContext(TargetParts parts) {
        this.parts = parts;
        renew(parts.link());
    }

    /** Goes on over a link; what was to go out over another one is dropped. */
    final void renew(TargetLink fresh) {
        link = fresh;
        outbox = new Outbox(fresh);
    }

    TargetLink link() {
        return link;
    }

    TargetState state() {
        return state;
    }

    Outcome outcome() {
        return outcome;
    }

    long epoch() {
        return epoch;
    }

    void epoch(long next) {
        epoch = next;
    }

    /** Whether the guest is to run here: what somebody had paused stays paused. */
    void runs(boolean granted) {
        runs = granted;
    }

    void journal(Journal opened) {
        journal = opened;
    }

    void write(JournalState what, String note) throws IOException {
        if (journal != null) {
            journal.write(new JournalRecord(what, epoch, runs, note));
        }
    }

    /** For records whose act is right whether or not they reach the disk. */
    void record(JournalState what, String note) {
        try {
            write(what, note);
        } catch (IOException e) {
            warn("cannot write " + what + " to the journal: " + e.getMessage());
        }
    }

    void send(Message message) {
        outbox.send(message);
    }

    int flush() {
        return outbox.flush();
    }

    /** Closes the link of a source that asks and asks, and reads no answer; returns whether. */
    boolean closeIfPeerNotReading() {
        boolean deaf = outcome == null && outbox.waiting() > MOST_WAITING;
        if (deaf) {
            link.close();
            outbox.clear();
        }
        return deaf;
    }

    void enter(TargetState next) {
        state = next;
        parts.listener().state(next.label(), epoch);
    }

    /** The source ends it itself and asks for no last word; returns why. */
    ErrorCode givenUp(Message.Cancel cancel) {
        figures.givenUp();
        return cancel.code();
    }

    void finish(Outcome end) {
        outcome = end;
        enter(TargetState.ENDED);
    }

    /** Refuses an offer that demands what nobody here can do; returns whether it did not. */
    boolean takes(Message.Hello hello, long features) {
        if ((hello.features() & MANDATORY & ~features) != 0) {
            refuse(ErrorCode.FEATURE_MISSING, "not every feature demanded is known here", "");
        } else if (hello.guest().regions().regions().stream()
                .anyMatch(region -> region.kind() != Region.Kind.RAM)) {
            refuse(ErrorCode.GUEST_MISMATCH, "no guest here takes disks as regions", "");
        }
        return outcome == null;
    }

    void refuse(ErrorCode code, String reason, String remedy) {
        send(new Message.Failure(code, remedy.isEmpty() ? reason : reason + "; " + remedy));
        finish(Outcome.of(Result.REFUSED, code, reason, Side.TARGET).withRemedy(remedy));
    }

    Optional<Message> refusal(String why) {
        return Optional.of(new Message.Failure(ErrorCode.PROTOCOL_VIOLATION, why));
    }

    /** Something threw what it does not declare, before anything was loaded. */
    void onBug(RuntimeException bug) {
        boolean unreachable = bug instanceof UncheckedIOException;
        ErrorCode code = unreachable ? ErrorCode.HOST_FAILED : ErrorCode.INTERNAL;
        String why = unreachable ? "the image cannot be written or read: "
                + bug.getCause().getMessage() : describe(bug);
        send(new Message.Failure(code, why));
        try {
            parts.guest().discard();
            record(JournalState.SETTLED, why);
        } catch (RuntimeException e) {
            warn(describe(e));
        }
        finish(Outcome.of(unreachable ? Result.FAILED : Result.BUG, code, why, Side.TARGET));
    }

    void bug(String why) {
        finish(Outcome.of(Result.BUG, ErrorCode.INTERNAL, why, Side.TARGET));
    }

    static String describe(RuntimeException bug) {
        StackTraceElement[] trace = bug.getStackTrace();
        return "a bug: " + bug + (trace.length == 0 ? "" : " at " + trace[0]);
    }

    /** Compares in a time that does not depend on the bytes of the token. */
    boolean isOurs(Message.Resume asked) {
        long differs = parts.token().getMostSignificantBits()
                ^ asked.token().getMostSignificantBits();
        differs |= parts.token().getLeastSignificantBits()
                ^ asked.token().getLeastSignificantBits();
        return differs == 0
                && figures.migrationId().filter(asked.migrationId()::equals).isPresent();
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
