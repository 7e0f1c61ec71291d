package io.pageferry.core.handover;

import java.util.Locale;

/** Says which side may run the guest. */
public enum Owner {
    /** The source: the target can never run it. */
    SOURCE,
    /** The target: the source never resumes it. */
    TARGET,
    /** It cannot be told here: the guest stays paused until the other side says. */
    UNKNOWN;

    /** {@return how reports and commands name it} */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
