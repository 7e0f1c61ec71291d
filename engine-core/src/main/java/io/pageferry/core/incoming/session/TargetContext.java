package io.pageferry.core.incoming.session;

import io.pageferry.core.handover.Journal;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.link.flow.Outbox;
import io.pageferry.core.migration.MigrationEvent.StateEntered;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationSnapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Keeps what the phases of one target migration share: parts, epoch, record, link. */
public final class TargetContext implements AutoCloseable {
    /** Messages that may wait for a link that takes none: an honest source reads them. */
    private static final int MOST_WAITING = 64;

    private final TargetParts parts;
    private final TargetFigures figures = new TargetFigures();
    private final List<Runnable> closers = new ArrayList<>();
    private TargetLink link;
    private Outbox outbox;
    private Optional<Journal> journal = Optional.empty();
    private Optional<Receiver> receiver = Optional.empty();
    private long generation = 1;
    private long epoch;
    private boolean runs = true;
    private int work;

    /**
     * Begins with the parts of a migration.
     *
     * @param parts stays the caller's
     */
    public TargetContext(TargetParts parts) {
        this.parts = parts;
        this.link = parts.link();
        this.outbox = new Outbox(link);
    }

    /** {@return what the migration works with; the link is that of {@link #link}} */
    public TargetParts parts() {
        return parts;
    }

    /** {@return what was measured} */
    public TargetFigures figures() {
        return figures;
    }

    /** {@return the link, whichever it is at present} */
    public TargetLink link() {
        return link;
    }

    /**
     * Goes on over a link; what was to go out over another one is dropped.
     *
     * @param fresh the link
     * @param next  the generation of its channels
     */
    public void renew(TargetLink fresh, long next) {
        link = fresh;
        outbox = new Outbox(fresh);
        generation = next;
    }

    /** {@return the generation of the channels} */
    public long generation() {
        return generation;
    }

    /** {@return the source's attempt to switch over, 0 before the first} */
    public long epoch() {
        return epoch;
    }

    /**
     * Takes the source's next attempt.
     *
     * @param next above the present one
     */
    public void epoch(long next) {
        epoch = next;
    }

    /**
     * Notes whether the guest is to run here: a guest paused before stays paused.
     *
     * @param granted whether it is
     */
    public void runs(boolean granted) {
        runs = granted;
    }

    /**
     * Begins to write to a journal.
     *
     * @param opened of this migration
     */
    public void journal(Journal opened) {
        journal = Optional.of(opened);
    }

    /**
     * Keeps the filled image's checksums for as long as the migration lasts.
     *
     * @param filling closed with this context
     */
    public void receiver(Receiver filling) {
        receiver = Optional.of(filling);
        onClose(filling::close);
    }

    /** {@return what fills the image, once a page came} */
    public Optional<Receiver> receiver() {
        return receiver;
    }

    /**
     * Writes a record, durable when this returns.
     *
     * @param what the record
     * @param note why
     * @throws IOException when it may not be durable
     */
    public void write(JournalState what, String note) throws IOException {
        if (journal.isPresent()) {
            journal.get().write(new JournalRecord(what, epoch, runs, note));
        }
    }

    /**
     * Writes a record whose act is right whether or not it reaches the disk.
     *
     * @param what the record
     * @param note why
     */
    public void record(JournalState what, String note) {
        try {
            write(what, note);
        } catch (IOException e) {
            warn("cannot write " + what + " to the journal: " + e.getMessage());
        }
    }

    /**
     * Sends a message to the source.
     *
     * @param message what to send
     */
    public void send(Message message) {
        outbox.send(message);
    }

    /** {@return how many messages that waited the link has taken now} */
    public int flush() {
        return outbox.flush();
    }

    /** {@return whether the link was closed, of a source that asks and asks, and reads nothing} */
    public boolean closeIfPeerNotReading() {
        boolean deaf = outbox.waiting() > MOST_WAITING;
        if (deaf) {
            link.close();
            outbox.clear();
        }
        return deaf;
    }

    /**
     * Announces a new state.
     *
     * @param next the state
     */
    public void announce(TargetState next) {
        parts.listener().on(new StateEntered(next.label(), epoch));
    }

    /**
     * Makes a snapshot, for the listener too.
     *
     * @param state the present one
     * @return where the migration is
     */
    public MigrationSnapshot publish(TargetState state) {
        MigrationSnapshot now = MigrationSnapshot.ofTarget(state.label(), epoch,
                figures.wireBytes());
        parts.listener().onCycle(now);
        return now;
    }

    /**
     * Makes the answer to a source that is not taken.
     *
     * @param why not
     * @return the answer
     */
    public Optional<Message> refusal(String why) {
        return Optional.of(new Message.Failure(ErrorCode.PROTOCOL_VIOLATION, why));
    }

    /** {@return the answer to a stranger} */
    public Optional<Message> noSession() {
        return refusal("the token belongs to no session here");
    }

    /**
     * Describes a bug in one line.
     *
     * @param bug what was thrown
     * @return what and where
     */
    public static String describe(RuntimeException bug) {
        StackTraceElement[] trace = bug.getStackTrace();
        return "a bug: " + bug + (trace.length == 0 ? "" : " at " + trace[0]);
    }

    /**
     * Compares in a time that does not depend on the bytes of the token.
     *
     * @param asked what a source shows
     * @return whether it is that of this migration
     */
    public boolean isOurs(Message.Resume asked) {
        return Message.sameToken(parts.token(), asked.token())
                && figures.migrationId().filter(asked.migrationId()::equals).isPresent();
    }

    /**
     * Counts work that was done in this turn.
     *
     * @param amount how much
     */
    public void worked(int amount) {
        work += amount;
    }

    /** {@return whether nothing was done in this turn yet} */
    public boolean isIdle() {
        return work == 0;
    }

    /** {@return the work of this turn, which ends} */
    public int takeWork() {
        int done = work;
        work = 0;
        return done;
    }

    /**
     * Keeps something open until the migration is closed.
     *
     * @param closer closes it
     */
    public void onClose(Runnable closer) {
        closers.add(closer);
    }

    /** Closes what was opened on the way; the link is the caller's. */
    @Override
    public void close() {
        closers.forEach(Runnable::run);
        closers.clear();
    }

    /**
     * Logs a line.
     *
     * @param line of interest
     */
    public void log(String line) {
        parts.listener().on(MigrationEvent.info(line));
    }

    /**
     * Logs a warning.
     *
     * @param line for the operator
     */
    public void warn(String line) {
        parts.listener().on(MigrationEvent.warn(line));
    }

    /** {@return the time, in monotonic nanoseconds} */
    public long now() {
        return parts.clock().nanoTime();
    }
}
