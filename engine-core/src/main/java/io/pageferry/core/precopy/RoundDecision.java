package io.pageferry.core.precopy;

import io.pageferry.core.round.StopReason;

/** What to do after a round, and why. */
public sealed interface RoundDecision {
    /**
     * Send what was written meanwhile.
     *
     * @param why in words
     */
    record Continue(String why) implements RoundDecision { }

    /**
     * Slow the guest down, then send what was written meanwhile.
     *
     * @param percent share of its CPU time to take, 0 … 99
     * @param why     in words
     */
    record Throttle(int percent, String why) implements RoundDecision { }

    /**
     * Pause the guest and copy the rest.
     *
     * @param reason for the report
     * @param why    in words
     */
    record StopAndCopy(StopReason reason, String why) implements RoundDecision { }

    /**
     * Give up; the guest runs on.
     *
     * @param why in words
     */
    record Abort(String why) implements RoundDecision { }

    /**
     * Give up, because the pause would be too long; the guest runs on.
     *
     * @param predictedNanos of the pause, 95th percentile
     * @param allowedNanos   the longest allowed pause
     */
    record PauseTooLong(long predictedNanos, long allowedNanos) implements RoundDecision { }
}
