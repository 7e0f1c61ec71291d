package io.pageferry.core.handover;

import io.pageferry.core.words.Labelled;

/** Says which side may run the guest. */
public enum Owner implements Labelled {
    /** The source: the target can never run it. */
    SOURCE,
    /** The target: the source never resumes it. */
    TARGET,
    /** It cannot be told here: the guest stays paused until the other side says. */
    UNKNOWN
}
