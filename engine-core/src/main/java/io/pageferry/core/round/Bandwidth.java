package io.pageferry.core.round;

/**
 * What a migration may take of the link.
 *
 * @param bytesPerSecond           while the guest runs, with headers; 0 for no bound
 * @param switchoverBytesPerSecond while it is paused, likewise
 */
public record Bandwidth(long bytesPerSecond, long switchoverBytesPerSecond) {
    /** No bound. */
    public static final Bandwidth UNLIMITED = new Bandwidth(0, 0);

    /**
     * The least that can be asked for, 1 Mbit/s: below it a single page is more than 3 % of
     * what a second carries.
     */
    public static final long LEAST = 125_000;
}
