package io.pageferry.core.migration;

import io.pageferry.core.words.Labelled;

/** How the image at the target is proved before the guest may run there. */
public enum Verification implements Labelled {
    // The order is the number in HELLO.
    /** Not at all. */
    NONE,
    /** Every page is read back there and compared with what was sent. */
    SENT,
    /**
     * Every page is read back there and compared with the paused guest's memory, which is read
     * once more for that: finds what a tracker missed, at the price of downtime.
     */
    FULL;

    /** {@return whether the image is read back at all} */
    public boolean isAsked() {
        return this != NONE;
    }
}
