package io.pageferry.core.handover;

import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import io.pageferry.core.migration.GuestHandle.Condition;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;
import org.agrona.concurrent.NanoClock;

/**
 * Does what a journal asks for whose agent is gone: the rows "agent dies" and "agent restarts" of
 * the tables of docs/PROTOCOL.md. Acts only while it holds the journal's lock and the guest's,
 * both. Doing it twice does no harm. A machine in steps: it never sleeps. One thread.
 */
public final class Recovery implements AutoCloseable {
    private static final long LOCK_POLL_NANOS = 5_000_000L;
    private static final long RETRY_NANOS = 200_000_000L;
    private static final long LEAVE_NANOS = 5_000_000_000L;

    private final AbandonedMigration migration;
    private final Options options;
    private final NanoClock clock;
    private final Consumer<String> words;
    private DurableWord answers = new DurableWord(0);
    private Step step = this::lock;
    private long due;
    private long deadline;
    private Journal journal;
    private GuestHandle guest;
    private StatusQuery query;
    private Result result;
    private Lock missing;
    private boolean silent;

    /** What is done about a guest that the target may run. */
    public enum Doubt {
        /** It stays paused. */
        STAY_PAUSED,
        /** The target is asked. */
        ASK_TARGET,
        /** An operator states that the target can never run it. */
        TARGET_IS_FENCED,
        /** An operator states that the target runs it. */
        TARGET_RUNS_IT
    }

    /** What is needed to act: both. */
    public enum Lock {
        /** Of the migration's journal: no agent and no other recovery works on it. */
        JOURNAL,
        /** Of the guest: no other migration of it is under way. */
        GUEST
    }

    /**
     * How long to try, and what to do in doubt.
     *
     * @param doubt       what is done about a guest that the target may run
     * @param lockNanos   longest wait for both locks; 0 tries once
     * @param windowNanos longest wait for the target's answer, or for a guest that another
     *                    process's lock keeps paused, or that does not answer
     * @param stays       whether a guest that does not answer is waited for without an end: it is
     *                    let go on whenever it does
     */
    public record Options(Doubt doubt, long lockNanos, long windowNanos, boolean stays) {
        /** As long as a migration itself would try: the default of the settle window. */
        public static final long WINDOW_NANOS = 30_000_000_000L;

        /**
         * Of who does not wait without an end.
         *
         * @param doubt       as above
         * @param lockNanos   as above
         * @param windowNanos as above
         */
        public Options(Doubt doubt, long lockNanos, long windowNanos) {
            this(doubt, lockNanos, windowNanos, false);
        }
    }

    private interface Step {
        int run() throws IOException;
    }

    /**
     * Makes a recovery; nothing is done yet.
     *
     * @param migration what to recover; closed with this
     * @param options   how
     * @param clock     monotonic
     * @param words     receives one line for people at a time
     */
    public Recovery(AbandonedMigration migration, Options options, NanoClock clock,
            Consumer<String> words) {
        this.migration = migration;
        this.options = options;
        this.clock = clock;
        this.words = words;
        this.due = clock.nanoTime();
        this.deadline = due + options.lockNanos();
    }

    /**
     * Does one step, if one is due.
     *
     * @return work done, 0 for none
     * @throws IOException when the guest cannot be reached or the journal not be written; this
     *                     recovery is over then, another one may go on
     */
    public int doWork() throws IOException {
        return isDone() || clock.nanoTime() - due < 0 ? 0 : step.run();
    }

    /** {@return whether it is over: there is a result, or a lock is missing} */
    public boolean isDone() {
        return result != null || missing != null;
    }

    /** {@return how the migration stands for this side; empty before the end and without locks} */
    public Optional<Result> result() {
        return Optional.ofNullable(result);
    }

    /** {@return the lock that another process holds, where nothing was done because of it} */
    public Optional<Lock> missing() {
        return Optional.ofNullable(missing);
    }

    /**
     * Returns what the journal states; it must have been locked.
     *
     * @return owner and what is left to do
     */
    public Ownership ownership() {
        return Ownership.of(migration.side(), journal);
    }

    /** {@return why the target gave no answer, as far as it or the link reported it, or nothing} */
    public String unanswered() {
        return answers.said();
    }

    /** Lets go of the guest, the locks and the link. Idempotent. */
    @Override
    public void close() {
        if (query != null) {
            query.close();
            query = null;
        }
        if (guest != null) {
            guest.close();
            guest = null;
        }
        migration.close();
    }

    private int lock() throws IOException {
        if (journal == null) {
            journal = migration.lockJournal().orElse(null);
        }
        if (journal != null && migration.lockGuest()) {
            step = this::begin;
        } else if (clock.nanoTime() - deadline >= 0) {
            missing = journal == null ? Lock.JOURNAL : Lock.GUEST;
        } else {
            due = clock.nanoTime() + LOCK_POLL_NANOS;
        }
        return 1;
    }

    private int begin() throws IOException {
        if (ownership().settled()) {
            migration.sweep();
        } else {
            guest = migration.guest().orElse(null);
            if (guest != null && migration.side() == Side.SOURCE) {
                unthrottle();
            }
        }
        step = this::act;
        return 1;
    }

    /** Undoes the throttle first, whatever the journal states: no other migration set it. */
    private void unthrottle() {
        try {
            guest.unthrottle();
        } catch (GuestException e) {
            words.accept("the guest is still slowed down: " + e.getMessage() + "; " + e.remedy());
        }
    }

    private int act() throws IOException {
        Ownership now = ownership();
        switch (now.next()) {
            case NONE -> finish(now.result());
            case ASK -> doubt(now.epoch());
            case REFUSE -> write(JournalState.REFUSED, now.epoch(), guest == null
                    ? "the agent died, and its guest is not there any more" : "the agent died");
            case ACTIVATE -> {
                deadline = clock.nanoTime() + options.windowNanos();
                step = () -> activate(now);
            }
            case END_REFUSED -> endRefused(now);
            default -> {
                if (guest == null) {
                    settle("its guest is not there any more", now.result());
                } else {
                    actOnGuest(now);
                }
            }
        }
        return 1;
    }

    private void actOnGuest(Ownership now) throws IOException {
        switch (now.next()) {
            case LEAVE -> leaveFrom("nothing was paused");
            case OWN -> write(JournalState.OWNED, now.epoch(), "the agent died");
            case RESUME -> {
                deadline = clock.nanoTime() + options.windowNanos();
                step = this::resume;
            }
            case END -> {
                if (migration.endsGuest()) {
                    guest.end();
                }
                settle("", Result.COMPLETED);
            }
            case DISCARD -> {
                guest.forget();
                settle("nothing was loaded", Result.FAILED);
            }
            default -> throw new IllegalStateException("no act of a guest's: " + now.next());
        }
    }

    private int resume() throws IOException {
        try {
            if (!ownership().ran()) {
                leaveFrom("");
            } else if (guest.condition() == Condition.GONE) {
                settle("the guest is gone", Result.GUEST_ENDED);
            } else {
                guest.resume();
                leaveFrom("");
            }
        } catch (GuestException e) {
            if (!triesAgain(e)) {
                words.accept("the guest is ours but cannot go on: " + e.getMessage());
                finish(Result.IN_DOUBT);
            }
        }
        return 1;
    }

    /** Has the present step run again after a while, where that may help and time is left. */
    private boolean triesAgain(GuestException refusal) {
        boolean again = refusal.mayRetry() && (clock.nanoTime() - deadline < 0
                || refusal.isSilent() && options.stays());
        if (again && refusal.isSilent() && !silent) {
            silent = true;
            words.accept("the guest does not answer yet: " + refusal.getMessage());
        }
        due = clock.nanoTime() + RETRY_NANOS;
        return again;
    }

    private void leaveFrom(String why) {
        deadline = clock.nanoTime() + LEAVE_NANOS;
        step = () -> leave(why);
    }

    /** What cannot be put back in a guest that stays is logged, and is no reason to fail. */
    private int leave(String why) throws IOException {
        try {
            if (guest.condition() != Condition.GONE) {
                guest.leave();
            }
        } catch (GuestException e) {
            if (triesAgain(e)) {
                return 1;
            }
            words.accept("the guest's settings were not put back: " + e.getMessage());
            if (e.isSilent()) {
                finish(Result.FAILED);
            }
        }
        if (!isDone()) {
            settle(silent ? "it answered again" : why, Result.FAILED);
        }
        return 1;
    }

    /** The no is durable and its guest has ended: a full disk takes neither back. */
    private void endRefused(Ownership now) throws IOException {
        if (guest != null) {
            guest.end();
        }
        try {
            settle(guest == null ? "its guest is not there any more" : "", Result.FAILED);
        } catch (IOException e) {
            words.accept("the refused guest has ended, which could not be written: "
                    + e.getMessage());
            finish(now.result());
        }
    }

    private int activate(Ownership now) throws IOException {
        try {
            Condition condition = guest == null ? Condition.GONE : guest.condition();
            if (condition == Condition.GONE || condition == Condition.WAITING) {
                words.accept("the target owned the guest and it is gone; whether it ran cannot be"
                        + " known");
                finish(Result.FAILED_AT_TARGET);
                return 1;
            }
            if (condition == Condition.PAUSED) {
                start(now);
            }
        } catch (GuestException e) {
            if (!e.isSilent() || !triesAgain(e)) {
                giveBack(now, e);
                step = this::act;
            }
            return 1;
        }
        write(JournalState.RUNNING, now.epoch(), "");
        step = this::act;
        return 1;
    }

    private void start(Ownership now) throws GuestException {
        if (now.ran()) {
            guest.resume();
        } else {
            guest.arrivePaused();
        }
    }

    private void giveBack(Ownership now, GuestException refused) throws IOException {
        if (!refused.neverRan()) {
            throw refused;
        }
        guest.end();
        write(JournalState.RETURNED, now.epoch(), refused.getMessage());
        words.accept("the guest goes back to its source: " + refused.getMessage());
    }

    private void doubt(long epoch) throws IOException {
        switch (options.doubt()) {
            case STAY_PAUSED -> finish(Result.IN_DOUBT);
            case TARGET_IS_FENCED -> write(JournalState.OWNED, epoch + 1,
                    "an operator said that the target is fenced");
            case TARGET_RUNS_IT -> write(JournalState.DONE, epoch,
                    "an operator said that the target runs it");
            case ASK_TARGET -> {
                answers = new DurableWord(epoch);
                query = new StatusQuery(migration.id(), epoch, migration.target(), null,
                        new StatusQuery.Window(clock.nanoTime(), options.windowNanos()));
                step = this::ask;
            }
        }
    }

    private int ask() throws IOException {
        int work = query.step(clock.nanoTime(), answers);
        if (answers.word() instanceof Message.Running) {
            write(JournalState.DONE, answers.epoch(), "the target runs it");
            step = this::act;
        } else if (answers.word() != null) {
            write(JournalState.OWNED, answers.epoch() + 1, "the target gave it back");
            step = this::act;
        } else if (query.isOver(clock.nanoTime())) {
            finish(Result.IN_DOUBT);
        }
        return work;
    }

    private void write(JournalState state, long epoch, String note) throws IOException {
        journal.write(new JournalRecord(state, epoch, ownership().ran(), note));
    }

    private void settle(String why, Result end) throws IOException {
        write(JournalState.SETTLED, ownership().epoch(), why);
        finish(end);
    }

    private void finish(Result end) {
        if (answers.word() != null) {
            // Its word is in the journal here: the target may forget it.
            query.tell(new Message.Farewell(answers.epoch(), 0, 0));
        }
        result = end;
    }
}
