package io.pageferry.core.migration;

import io.pageferry.core.migration.Outcome.Side;

/**
 * Shows where a migration is at the end of one duty cycle. Immutable. What a side does not know is
 * 0, a round that is not there yet −1; a target knows its state, its epoch and what arrived.
 *
 * @param side                whose it is
 * @param state               in lower case, as docs/PROTOCOL.md names it
 * @param epoch               the attempt, 0 before the first
 * @param round               under way, or the last; 0 based
 * @param dirtyPages          pages that were dirty when it began
 * @param handledPages        of these, sent or skipped so far
 * @param wireBytes           of batches with all headers: at a source of the rounds that ended, at
 *                            a target of all that arrived
 * @param wireBytesPerSecond  of the last round that ended
 * @param dirtyBytesPerSecond written by the guest in that round
 * @param throttlePercent     strength that is set, 0 … 99
 * @param predictedNanos      downtime as it was predicted last, 95th percentile
 * @param predictedMedianNanos the same, 50th percentile
 * @param verifiedRound       the last round that was read back at the target
 */
public record MigrationSnapshot(Side side, String state, long epoch, long round, long dirtyPages,
        long handledPages, long wireBytes, double wireBytesPerSecond, double dirtyBytesPerSecond,
        int throttlePercent, long predictedNanos, long predictedMedianNanos,
        long verifiedRound) {
    /** {@return pages of the round that are still to be handled} */
    public long leftPages() {
        return dirtyPages - handledPages;
    }

    /**
     * Makes that of a target.
     *
     * @param state     in lower case
     * @param epoch     the source's attempt
     * @param wireBytes that arrived
     * @return the snapshot
     */
    public static MigrationSnapshot ofTarget(String state, long epoch, long wireBytes) {
        return new MigrationSnapshot(Side.TARGET, state, epoch, -1, 0, 0, wireBytes, 0, 0, 0, 0,
                0, -1);
    }
}
