package io.pageferry.core.handover;

import io.pageferry.core.words.Labelled;

/** The side that may run the guest. */
public enum Owner implements Labelled {
    /** The source: the target can never run it. */
    SOURCE,
    /** The target: the source never resumes it. */
    TARGET,
    /** Not known here: the guest stays paused until the other side answers. */
    UNKNOWN
}
