package io.pageferry.agent.state.guard;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestHandle;
import io.pageferry.agent.guest.GuestHandle.Condition;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * The rows "agent dies" and "agent restarted" of the tables of docs/PROTOCOL.md, for whoever holds
 * the journal's lock: a guard, {@code settle}, or a later {@code receive}.
 */
public final class Recovery {
    private static final long RETRY_NANOS = 200_000_000L;

    /** As long as a migration itself would try: the default of {@code --settle-window}. */
    private static final long WINDOW_NANOS = 30_000_000_000L;

    private static final long LEAVE_NANOS = 5_000_000_000L;

    private final FileJournal journal;
    private final Consumer<String> words;
    private final long windowNanos;

    /**
     * Makes a recovery.
     *
     * @param journal locked by the caller
     * @param words   one line for people at a time
     */
    public Recovery(FileJournal journal, Consumer<String> words) {
        this(journal, words, WINDOW_NANOS);
    }

    /**
     * Makes a recovery that does not try for long.
     *
     * @param journal     locked by the caller
     * @param words       one line for people at a time
     * @param windowNanos how long to try to resume a guest that somebody's lock keeps paused
     */
    public Recovery(FileJournal journal, Consumer<String> words, long windowNanos) {
        this.journal = journal;
        this.words = words;
        this.windowNanos = windowNanos;
    }

    /**
     * Does what the last record asks for. Doing it twice does no harm.
     *
     * @return how the migration stands for this side afterwards
     * @throws IOException when the guest cannot be reached or the journal not be written
     */
    public Result run() throws IOException {
        if (journal.isSettled()) {
            return settledResult();
        }
        Optional<GuestHandle> handle = handle();
        if (handle.isEmpty()) {
            return withoutGuest();
        }
        try (GuestHandle guest = handle.get()) {
            if (journal.header().side() == Side.TARGET) {
                return target(guest);
            }
            unthrottle(guest);
            return source(guest);
        }
    }

    /**
     * Takes the guest back at the source and resumes it: the target's durable no, or an operator's
     * word that it is fenced.
     *
     * @param epoch the new epoch
     * @param why   for the journal
     * @return {@link Result#FAILED}, or {@link Result#IN_DOUBT} while it cannot be resumed
     * @throws IOException when the guest cannot be reached or the journal not be written
     */
    public Result own(long epoch, String why) throws IOException {
        boolean ran = decision().map(JournalRecord::ran).orElse(true);
        journal.write(new JournalRecord(JournalState.OWNED, epoch, ran, why));
        return run();
    }

    /**
     * Gives the guest up at the source: the target runs it.
     *
     * @param epoch the epoch granted
     * @param why   for the journal
     * @return {@link Result#COMPLETED}
     * @throws IOException when the guest cannot be reached or the journal not be written
     */
    public Result done(long epoch, String why) throws IOException {
        boolean ran = decision().map(JournalRecord::ran).orElse(true);
        journal.write(new JournalRecord(JournalState.DONE, epoch, ran, why));
        return run();
    }

    /** First of all, and whatever the journal says: a guest is slowed down for nobody else. */
    private void unthrottle(GuestHandle guest) {
        try {
            guest.unthrottle();
        } catch (GuestException e) {
            words.accept("pageferry: the guest is still slowed down: " + e.getMessage()
                    + "; " + e.remedy());
        }
    }

    private Result source(GuestHandle guest) throws IOException {
        Optional<JournalRecord> last = decision();
        if (last.isEmpty()) {
            leave(guest);
            settled(0, "nothing was paused");
            return Result.FAILED;
        }
        JournalRecord record = last.get();
        return switch (record.state()) {
            case SWITCHOVER -> own(record.epoch(), "the agent died");
            case OWNED -> resume(guest, record);
            case DONE -> {
                if (After.of(journal.header().recoveryAddress()).orElse(null) != After.KEEP) {
                    guest.end();
                }
                settled(record.epoch(), "");
                yield Result.COMPLETED;
            }
            default -> {
                words.accept("pageferry: the guest stays paused, because the target may run it; "
                        + "settle it: pageferry settle " + journal.header().migration());
                yield Result.IN_DOUBT;
            }
        };
    }

    private Result resume(GuestHandle guest, JournalRecord record) throws IOException {
        long deadline = System.nanoTime() + windowNanos;
        while (record.ran()) {
            if (guest.condition() == Condition.GONE) {
                settled(record.epoch(), "the guest is gone");
                return Result.GUEST_ENDED;
            }
            try {
                guest.resume();
                break;
            } catch (GuestException e) {
                if (!e.mayRetry() || System.nanoTime() - deadline >= 0) {
                    words.accept("pageferry: the guest is ours but cannot go on: "
                            + e.getMessage());
                    return Result.IN_DOUBT;
                }
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
        leave(guest);
        settled(record.epoch(), "");
        return Result.FAILED;
    }

    /** What cannot be put back in a guest that stays is said, and is no reason to fail. */
    private void leave(GuestHandle guest) {
        long deadline = System.nanoTime() + LEAVE_NANOS;
        while (true) {
            try {
                if (guest.condition() != Condition.GONE) {
                    guest.leave();
                }
                return;
            } catch (GuestException e) {
                if (!e.mayRetry() || System.nanoTime() - deadline >= 0) {
                    words.accept("pageferry: the guest's settings were not put back: "
                            + e.getMessage());
                    return;
                }
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    private Result target(GuestHandle guest) throws IOException {
        Optional<JournalRecord> last = decision();
        if (last.isEmpty()) {
            guest.forget();
            settled(0, "nothing was loaded");
            return Result.FAILED;
        }
        JournalRecord record = last.get();
        return switch (record.state()) {
            case PREPARED -> {
                journal.write(new JournalRecord(JournalState.REFUSED, record.epoch(),
                        record.ran(), "the agent died"));
                yield refuse(guest, record);
            }
            case REFUSED -> refuse(guest, record);
            case ACTIVE -> activate(guest, record);
            default -> Result.COMPLETED;
        };
    }

    private Result refuse(GuestHandle guest, JournalRecord record) throws IOException {
        guest.end();
        settledWhereItFits(record.epoch(), "");
        return Result.FAILED;
    }

    /** The no is durable and its guest has ended: a full disk takes neither back. */
    private void settledWhereItFits(long epoch, String why) {
        try {
            settled(epoch, why);
        } catch (IOException e) {
            words.accept("pageferry: the refused guest has ended, which could not be written: "
                    + e.getMessage());
        }
    }

    private Result activate(GuestHandle guest, JournalRecord record) throws IOException {
        Condition condition = guest.condition();
        if (condition == Condition.PAUSED && record.ran()) {
            try {
                guest.resume();
            } catch (GuestException e) {
                return giveBack(guest, record, e);
            }
        } else if (condition == Condition.GONE || condition == Condition.WAITING) {
            words.accept("pageferry: the target owned the guest and it is gone; whether it ran "
                    + "cannot be known");
            return Result.FAILED_AT_TARGET;
        }
        journal.write(new JournalRecord(JournalState.RUNNING, record.epoch(), record.ran(), ""));
        return Result.COMPLETED;
    }

    private Result giveBack(GuestHandle guest, JournalRecord record, GuestException refused)
            throws IOException {
        if (!refused.neverRan()) {
            throw refused;
        }
        guest.end();
        journal.write(new JournalRecord(JournalState.RETURNED, record.epoch(), record.ran(),
                refused.getMessage()));
        words.accept("pageferry: the guest goes back to its source: " + refused.getMessage());
        return Result.FAILED;
    }

    /** The guest lived in its agent and went with it. */
    private Result withoutGuest() throws IOException {
        Optional<JournalRecord> last = decision();
        if (last.isPresent() && last.get().state() == JournalState.PREPARED) {
            journal.write(new JournalRecord(JournalState.REFUSED, last.get().epoch(), true,
                    "the agent died, and the guest with it"));
        }
        if (last.isPresent() && last.get().state() == JournalState.ACTIVE) {
            return Result.FAILED_AT_TARGET;
        }
        String why = "the guest ended with its agent";
        if (decision().filter(now -> now.state() == JournalState.REFUSED).isPresent()) {
            settledWhereItFits(last.get().epoch(), why);
        } else {
            settled(last.map(JournalRecord::epoch).orElse(0L), why);
        }
        return settledResult();
    }

    private Result settledResult() {
        return switch (decision().map(JournalRecord::state).orElse(JournalState.SETTLED)) {
            case RUNNING, DONE -> Result.COMPLETED;
            default -> Result.FAILED;
        };
    }

    private Optional<JournalRecord> decision() {
        return journal.decision();
    }

    private void settled(long epoch, String why) throws IOException {
        boolean ran = decision().map(JournalRecord::ran).orElse(true);
        journal.write(new JournalRecord(JournalState.SETTLED, epoch, ran, why));
    }

    private Optional<GuestHandle> handle() throws GuestException {
        JournalHeader header = journal.header();
        if (header.recoveryAddress().isEmpty()) {
            return Optional.empty(); // and an embedder's guest has no URI that could be parsed
        }
        Optional<GuestKind> kind = GuestKinds.find(GuestUri.parse(header.guest()).scheme());
        return kind.isEmpty() ? Optional.empty() : kind.get().handle(header.recoveryAddress());
    }
}
