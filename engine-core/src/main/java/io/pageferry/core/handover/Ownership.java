package io.pageferry.core.handover;

import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;

/**
 * Finds from one side's journal alone which side owns the guest, what is left to do, and the answer
 * to STATUS: the third table of docs/PROTOCOL.md, section 2. A test compares both.
 *
 * @param side     whose journal it is
 * @param decision the last record that decided something, if any
 * @param settled  whether nothing is left to do: the act after the decision was done
 */
public record Ownership(Side side, Optional<JournalRecord> decision, boolean settled) {
    /** What is left to do by a journal whose agent is gone. */
    public enum Act {
        /** Nothing is left to do. */
        NONE,
        /** Source: nothing was paused; undo what the agent changed in the guest. */
        LEAVE,
        /** Source: write J(OWNED), which asks for {@link #RESUME}. */
        OWN,
        /** Source: resume the guest. */
        RESUME,
        /** Source: leave the guest paused, and ask the target. */
        ASK,
        /** Source: end the guest in the way of its kind. */
        END,
        /** Target: discard what was received; nothing was loaded. */
        DISCARD,
        /** Target: write J(REFUSED), which asks for {@link #END_REFUSED}. */
        REFUSE,
        /** Target: end the loaded guest; only then REFUSED may be sent. */
        END_REFUSED,
        /** Target: resume the guest if it stands, then write J(RUNNING). */
        ACTIVATE
    }

    /** Checks that the side writes such a record at all. */
    public Ownership {
        decision.ifPresent(last -> {
            if (!fits(side, last.state())) {
                throw new IllegalArgumentException("no " + side + " writes " + last.state());
            }
        });
    }

    /**
     * Reads a journal.
     *
     * @param side    whose journal it is
     * @param journal as it is now
     * @return what follows from it
     */
    public static Ownership of(Side side, Journal journal) {
        return of(side, journal.decision(), journal.last().map(
                last -> last.state() == JournalState.SETTLED).orElse(false));
    }

    /**
     * Derives the ownership from a journal's records.
     *
     * @param side     whose journal it is
     * @param decision the last record that is not SETTLED, if any
     * @param done     whether a record SETTLED follows it
     * @return what follows
     */
    public static Ownership of(Side side, Optional<JournalRecord> decision, boolean done) {
        // These two are written when their act is done.
        boolean settled = done || decision.map(last -> last.state() == JournalState.RUNNING
                || last.state() == JournalState.RETURNED).orElse(false);
        return new Ownership(side, decision, settled);
    }

    /**
     * Returns whether a side writes such a record.
     *
     * @param side  of the journal
     * @param state a record's
     * @return whether it may be in its journal
     */
    public static boolean fits(Side side, JournalState state) {
        return switch (state) {
            case SWITCHOVER, OWNED, GRANTED, DONE -> side == Side.SOURCE;
            case PREPARED, REFUSED, ACTIVE, RETURNED, RUNNING -> side == Side.TARGET;
            case SETTLED -> true;
        };
    }

    /** {@return which side owns the guest as far as this journal knows} */
    public Owner owner() {
        return switch (state()) {
            case null -> Owner.SOURCE;
            case SWITCHOVER, OWNED, REFUSED, RETURNED -> Owner.SOURCE;
            case GRANTED, PREPARED -> Owner.UNKNOWN;
            case DONE, ACTIVE, RUNNING -> Owner.TARGET;
            case SETTLED -> throw new IllegalStateException("SETTLED decides nothing");
        };
    }

    /** {@return what is left to do} */
    public Act next() {
        if (settled) {
            return Act.NONE;
        }
        return switch (state()) {
            case null -> side == Side.SOURCE ? Act.LEAVE : Act.DISCARD;
            case SWITCHOVER -> Act.OWN;
            case OWNED -> Act.RESUME;
            case GRANTED -> Act.ASK;
            case DONE -> Act.END;
            case PREPARED -> Act.REFUSE;
            case REFUSED -> Act.END_REFUSED;
            case ACTIVE -> Act.ACTIVATE;
            case RUNNING, RETURNED, SETTLED -> Act.NONE;
        };
    }

    /**
     * Answers a source.
     *
     * @param asked what became of a grant
     * @return the durable word, or STATUS_UNKNOWN with the reason
     */
    public Message answer(Message.Status asked) {
        if (decision.isEmpty()) {
            return unknown(asked, "nothing was prepared here: that is not a no");
        }
        JournalRecord last = decision.get();
        if (last.state() == JournalState.REFUSED && !settled) {
            // It is sent only for a guest that is known to have ended.
            return unknown(asked, "refused, but not ended yet");
        }
        if (last.epoch() != asked.epoch()) {
            return unknown(asked, "the epoch here is " + last.epoch());
        }
        return switch (last.state()) {
            case RUNNING -> new Message.Running(last.epoch(), 0);
            case REFUSED -> new Message.Refused(last.epoch(), last.note());
            case RETURNED -> new Message.Returned(last.epoch(), last.note());
            default -> unknown(asked, "still "
                    + (last.state() == JournalState.ACTIVE ? "starting" : "deciding"));
        };
    }

    /** {@return how a settled migration stands for this side} */
    public Result result() {
        return owner() == Owner.TARGET ? Result.COMPLETED : Result.FAILED;
    }

    /** {@return the last decision, null where there is none} */
    public JournalState state() {
        return decision.map(JournalRecord::state).orElse(null);
    }

    /** {@return the attempt of the last decision, 0 before the first} */
    public long epoch() {
        return decision.map(JournalRecord::epoch).orElse(0L);
    }

    /** {@return whether the guest ran before it was paused, as far as is known} */
    public boolean ran() {
        return decision.map(JournalRecord::ran).orElse(true);
    }

    private static Message unknown(Message.Status asked, String why) {
        return new Message.StatusUnknown(asked.epoch(), why);
    }
}
