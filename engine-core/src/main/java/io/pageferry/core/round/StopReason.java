package io.pageferry.core.round;

/** Why pre-copy ended; {@code stopReason} of the report. */
public enum StopReason {
    /** At most 50 dirty pages were left. */
    CONCENTRATION("concentration"),
    /** The predicted downtime fits the budget. */
    BUDGET("budget"),
    /** A round sent fewer pages than were dirtied meanwhile. */
    NON_DIFFUSION("non-diffusion"),
    /** All rounds were used. */
    MAX_ROUNDS("max-rounds"),
    /** The time for pre-copy was up. */
    TIMEOUT("timeout"),
    /** The guest was paused before the copy began. */
    COLD("cold"),
    /** Somebody asked for it. */
    OPERATOR("operator");

    private final String word;

    StopReason(String word) {
        this.word = word;
    }

    /** {@return the word in the report} */
    public String label() {
        return word;
    }
}
