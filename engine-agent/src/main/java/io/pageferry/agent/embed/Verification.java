package io.pageferry.agent.embed;

/** How the image at the target is proved before the guest may run there. */
public enum Verification {
    /** Every page is read back there and compared with what was sent. */
    SENT,
    /**
     * Every page is read back there and compared with the paused guest's memory, which is read
     * once more for that: finds what a tracker missed, at the price of downtime.
     */
    FULL,
    /** Not at all. */
    NONE
}
