package io.pageferry.core.precopy;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.round.RoundStats;
import java.util.Arrays;
import java.util.List;

/**
 * What the downtime would be if the guest were paused now: fixed cost + remaining wire bytes ÷
 * bandwidth, each from quantiles of this migration's own rounds and not from one sample.
 *
 * @param p50Nanos median
 * @param p95Nanos 95th percentile: the slow quantile of each part at once, so on the safe side
 */
public record DowntimePrediction(long p50Nanos, long p95Nanos) {
    /** Rounds that send less do not show the bandwidth: one packet of 128 pages. */
    private static final long TELLING_BYTES = 128 * 4096;

    /** Assumed of a link before the first round measured it: 100 Mbit/s, to promise little. */
    private static final double UNKNOWN_BYTES_PER_SECOND = 12.5e6;

    /** Bytes of a page beside its content: its directory entry and its share of both headers. */
    private static final double OVERHEAD_PER_PAGE = PageBatch.DIRECTORY_ENTRY_BYTES + 1;

    /**
     * Predicts for a last round that may take all of the link.
     *
     * @param rounds    finished rounds of this migration
     * @param remaining dirty pages that would be left to copy
     * @param fixed     fixed cost: pause, scan, state, acknowledgements, resume
     * @return the prediction
     */
    public static DowntimePrediction of(List<RoundStats> rounds, long remaining, Fixed fixed) {
        return of(rounds, remaining, fixed, 0);
    }

    /**
     * Predicts the downtime from what was measured so far.
     *
     * @param rounds    finished rounds of this migration
     * @param remaining dirty pages that would be left to copy
     * @param fixed     fixed cost: pause, scan, state, acknowledgements, resume
     * @param cap       bytes a second that the last round may take of the link, 0 for no bound
     * @return the prediction
     */
    public static DowntimePrediction of(List<RoundStats> rounds, long remaining, Fixed fixed,
            long cap) {
        double bound = cap == 0 ? Double.MAX_VALUE : cap * RateLimiter.SHARE;
        double[] rates = rounds.stream().filter(r -> r.wireBytes() >= TELLING_BYTES)
                .mapToDouble(RoundStats::wireBytesPerSecond).sorted().toArray();
        double[] sizes = rounds.stream().filter(r -> r.sentPages() > 0)
                .mapToDouble(r -> (double) r.wireBytes() / r.sentPages()).sorted().toArray();
        double raw = 4096 + OVERHEAD_PER_PAGE;
        double middle = remaining * quantile(sizes, 0.5, raw)
                / Math.min(bound, quantile(rates, 0.5, UNKNOWN_BYTES_PER_SECOND));
        double slow = remaining * quantile(sizes, 0.95, raw)
                / Math.min(bound, quantile(rates, 0.05, UNKNOWN_BYTES_PER_SECOND));
        return new DowntimePrediction(
                fixed.p50Nanos() + (long) (middle * 1e9),
                fixed.p95Nanos() + (long) (slow * 1e9));
    }

    /**
     * The part of the downtime that does not depend on the pages left.
     *
     * @param p50Nanos median
     * @param p95Nanos 95th percentile
     */
    public record Fixed(long p50Nanos, long p95Nanos) {
        /**
         * Adds a cost that was measured.
         *
         * @param nanos its length; its 95th percentile is taken as twice that
         * @return the sum
         */
        public Fixed plus(long nanos) {
            return new Fixed(p50Nanos + nanos, p95Nanos + 2 * nanos);
        }
    }

    /** Nearest rank on sorted samples. */
    private static double quantile(double[] sorted, double share, double unknown) {
        if (sorted.length == 0) {
            return unknown;
        }
        int rank = (int) Math.ceil(share * sorted.length);
        return Arrays.stream(sorted).skip(Math.max(0, rank - 1)).findFirst().orElse(unknown);
    }
}
