package io.pageferry.agent.report;

import io.pageferry.core.words.Labelled;

/** The values of {@code --progress}. */
public enum ProgressMode implements Labelled {
    /** A bar on a terminal, plain lines elsewhere. */
    AUTO,
    /** A line for each round. */
    PLAIN,
    /** Shows no progress. */
    NONE
}
