package io.pageferry.core.round;

/**
 * What one round did; the fields of {@code rounds[]} in the report.
 *
 * @param round          0 based
 * @param stopAndCopy    whether the guest was paused
 * @param dirtyPages     pages that were dirty when it began
 * @param sent           pages put into batches
 * @param skipped        dirty pages that needed no sending: zero here and zero there
 * @param wireBytes      bytes of its batches with all headers
 * @param durationNanos  from its begin to the acknowledgement of its last batch
 * @param newlyDirty     pages written while it lasted; 0 in a stop-and-copy round
 * @param stolenNanos    guest time that the throttle took meanwhile, measured
 */
public record RoundStats(
        long round,
        boolean stopAndCopy,
        long dirtyPages,
        PagesByCodec sent,
        long skipped,
        long wireBytes,
        long durationNanos,
        long newlyDirty,
        long stolenNanos) {
    private static final double NANOS = 1e9;

    /** {@return pages put into batches} */
    public long sentPages() {
        return sent.sum();
    }

    /** {@return bytes of guest memory that were sent} */
    public long guestBytes() {
        return sentPages() * 4096;
    }

    /** {@return bytes written by the guest in a second of this round} */
    public double dirtyBytesPerSecond() {
        return durationNanos == 0 ? 0 : newlyDirty * 4096 * NANOS / durationNanos;
    }

    /** {@return bytes on the wire in a second of this round} */
    public double wireBytesPerSecond() {
        return durationNanos == 0 ? 0 : wireBytes * NANOS / durationNanos;
    }

    /** {@return share of the guest's time that the throttle took, 0 … 100} */
    public double throttlePercent() {
        return durationNanos == 0 ? 0 : Math.min(100, 100.0 * stolenNanos / durationNanos);
    }

    /**
     * Adds a part of the same round that went behind a barrier of its own.
     *
     * @param part what was done behind it
     * @return the sum, without newly dirty pages
     */
    public RoundStats plus(RoundStats part) {
        return new RoundStats(round, stopAndCopy, dirtyPages + part.dirtyPages,
                sent.plus(part.sent), skipped + part.skipped, wireBytes + part.wireBytes,
                durationNanos + part.durationNanos, 0, stolenNanos + part.stolenNanos);
    }

    /**
     * Adds what the throttle took.
     *
     * @param nanos guest time, measured
     * @return the changed copy
     */
    public RoundStats withStolen(long nanos) {
        return new RoundStats(round, stopAndCopy, dirtyPages, sent, skipped, wireBytes,
                durationNanos, newlyDirty, nanos);
    }

    /**
     * Adds what was found after the round.
     *
     * @param pages newly dirty pages
     * @return the changed copy
     */
    public RoundStats withNewlyDirty(long pages) {
        return new RoundStats(round, stopAndCopy, dirtyPages, sent, skipped, wireBytes,
                durationNanos, pages, stolenNanos);
    }
}
