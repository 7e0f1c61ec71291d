package io.pageferry.agent.report;

/** What {@code --progress} may say. */
public enum ProgressMode {
    /** A bar on a terminal, plain lines elsewhere. */
    AUTO,
    /** A line for each round. */
    PLAIN,
    /** Nothing. */
    NONE
}
