package io.pageferry.core.round;

/**
 * What a migration may take of the link, and how pages and disks share it. Bytes per second with
 * headers, 0 for no bound. The only place that knows the shares: each sender asks for its own.
 *
 * @param bytesPerSecond           of pages while the guest runs
 * @param switchoverBytesPerSecond of pages and device state while it is paused
 * @param diskBytesPerSecond       of copied disks while no page is sent: all of the link
 */
public record Bandwidth(long bytesPerSecond, long switchoverBytesPerSecond,
        long diskBytesPerSecond) {
    /** No bound. */
    public static final Bandwidth UNLIMITED = new Bandwidth(0, 0);

    /**
     * The least that can be asked for, 1 Mbit/s: below it a single page is more than 3 % of
     * what a second carries.
     */
    public static final long LEAST = 125_000;

    /** Disks that are at the target get one part of so many, for what the guest still writes. */
    private static final long PARTS = 4;

    /**
     * Gives pages all of the link.
     *
     * @param bytesPerSecond           while the guest runs
     * @param switchoverBytesPerSecond while it is paused
     */
    public Bandwidth(long bytesPerSecond, long switchoverBytesPerSecond) {
        this(bytesPerSecond, switchoverBytesPerSecond, bytesPerSecond);
    }

    /** {@return a copy in which pages leave disks their part} */
    public Bandwidth sharedWithDisks() {
        return new Bandwidth(bytesPerSecond - bytesPerSecond / PARTS,
                switchoverBytesPerSecond - switchoverBytesPerSecond / PARTS, diskBytesPerSecond);
    }

    /**
     * Bounds the last round apart.
     *
     * @param rate while the guest is paused
     * @return the changed copy
     */
    public Bandwidth withSwitchover(long rate) {
        return new Bandwidth(bytesPerSecond, rate, diskBytesPerSecond);
    }

    /**
     * Bounds all of it.
     *
     * @param rate most of each, not 0
     * @return the changed copy
     */
    public Bandwidth atMost(long rate) {
        return new Bandwidth(less(bytesPerSecond, rate), less(switchoverBytesPerSecond, rate),
                less(diskBytesPerSecond, rate));
    }

    private static long less(long own, long rate) {
        return own == 0 ? rate : Math.min(own, rate);
    }

    /** {@return what disks may take while pages are sent in rounds} */
    public long diskBytesPerSecondBesidePages() {
        return diskBytesPerSecond / PARTS;
    }
}
