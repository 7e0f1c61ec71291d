package io.pageferry.core.incoming.session;

/**
 * Limits of a target. Durations in nanoseconds.
 *
 * @param window     batches that each channel may have unacknowledged, ≥ 1
 * @param grantNanos longest wait for a grant once ready; then the guest is refused
 * @param lastWordNanos longest wait for the source's farewell after the last word
 * @param channels   most data channels granted
 * @param reconnectNanos how long an image is kept for a source whose link was lost, 0 for not
 */
public record TargetOptions(int window, long grantNanos, long lastWordNanos, int channels,
        long reconnectNanos) {
    /**
     * Defaults: 16 batches of 512 KiB in flight (twice what 10 Gbit/s holds in 3 ms), 10 s for the
     * grant (as long as the source may pause), 30 s for the farewell, 64 channels, 30 s for
     * the source to come back.
     */
    public static TargetOptions defaults() {
        return new TargetOptions(16, 10_000_000_000L, 30_000_000_000L, 64, 30_000_000_000L);
    }
}
