package io.pageferry.core.round;

import io.pageferry.core.words.Labelled;

/** Why pre-copy ended; {@code stopReason} of the report. */
public enum StopReason implements Labelled {
    /** At most 50 dirty pages were left. */
    CONCENTRATION,
    /** The predicted downtime fits the budget. */
    BUDGET,
    /** A round sent fewer pages than were dirtied meanwhile. */
    NON_DIFFUSION,
    /** All rounds were used. */
    MAX_ROUNDS,
    /** The time for pre-copy was up. */
    TIMEOUT,
    /** The guest was paused before the copy began. */
    COLD,
    /** The operator asked for it. */
    OPERATOR
}
