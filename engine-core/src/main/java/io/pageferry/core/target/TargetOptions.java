package io.pageferry.core.target;

/**
 * Limits of a target. Durations in nanoseconds.
 *
 * @param window     batches that each channel may have unacknowledged, ≥ 1
 * @param grantNanos longest wait for a grant once ready; then the guest is refused
 * @param lastWordNanos longest wait for the source's farewell after the last word
 * @param channels   most data channels granted
 */
public record TargetOptions(int window, long grantNanos, long lastWordNanos, int channels) {
    /**
     * Defaults: 16 batches of 512 KiB in flight (twice what 10 Gbit/s holds in 3 ms), 10 s for the
     * grant (as long as the source may pause), 30 s for the farewell, 64 channels.
     */
    public static TargetOptions defaults() {
        return new TargetOptions(16, 10_000_000_000L, 30_000_000_000L, 64);
    }
}
