package io.pageferry.core.migration;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.words.Labelled;

/**
 * How a migration ended for one side.
 *
 * @param result what became of it
 * @param code   why, null when completed
 * @param reason why, in words, empty when completed
 * @param side   which side the trouble began on, null when completed
 * @param remedy what to do about it, or an empty string
 * @param cause  what was thrown, null where nothing was
 */
public record Outcome(Result result, ErrorCode code, String reason, Side side, String remedy,
        Throwable cause) {
    /** The two sides. */
    public enum Side implements Labelled {
        /** Where the guest comes from. */
        SOURCE,
        /** Where it goes. */
        TARGET
    }

    /** What became of a migration; the exit codes of the commands show the same. */
    public enum Result implements Labelled {
        /** The guest runs at the target. */
        COMPLETED(0),
        /** Refused before anything changed. */
        REFUSED(3),
        /** Failed; the guest at the source is the one that lives. */
        FAILED(4),
        /** Failed; the target owned the guest. */
        FAILED_AT_TARGET(5),
        /** Paused here, until recovery or an operator settles it. */
        IN_DOUBT(6),
        /** Cancelled; the source's guest runs on. */
        CANCELLED(7),
        /** The guest ended by itself. */
        GUEST_ENDED(8),
        /** A bug. */
        BUG(70);

        private final int exitCode;

        Result(int exitCode) {
            this.exitCode = exitCode;
        }

        /** {@return the exit code of a command that ends with this} */
        public int exitCode() {
            return exitCode;
        }
    }

    /** {@return the good end} */
    public static Outcome completed() {
        return new Outcome(Result.COMPLETED, null, "", null, "", null);
    }

    /**
     * Makes a bad end.
     *
     * @param result what became of it
     * @param code   why
     * @param reason why, in words
     * @param side   where the trouble began
     * @return the outcome, without remedy
     */
    public static Outcome of(Result result, ErrorCode code, String reason, Side side) {
        return new Outcome(result, code, reason, side, "", null);
    }

    /**
     * Adds advice.
     *
     * @param advice what to do about it
     * @return the changed copy
     */
    public Outcome withRemedy(String advice) {
        return new Outcome(result, code, reason, side, advice, cause);
    }

    /**
     * Adds what was thrown, for a log; {@link #reason} has it in words.
     *
     * @param thrown the cause
     * @return a copy that keeps it
     */
    public Outcome causedBy(Throwable thrown) {
        return new Outcome(result, code, reason, side, remedy, thrown);
    }

    /**
     * Returns whether it ended because the guest does not answer: something is left to do for it
     * once it does, so its journal is not settled.
     *
     * @return whether somebody has to see to that
     */
    public boolean isGuestSilent() {
        return cause instanceof GuestException failed && failed.isSilent();
    }
}
