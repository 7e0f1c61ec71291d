package io.pageferry.core.simulation;

import java.util.ArrayDeque;

/** Adds up what goes over a link that is bounded, and says where a second had too much of it. */
final class Meter {
    private static final long SECOND = 1_000_000_000L;

    /** What is allowed above the bound: 3 %. */
    private static final double MOST = 1.03;

    private final ArrayDeque<long[]> second = new ArrayDeque<>();
    private long sum;
    private long rate;
    private long counted;

    /**
     * Notes bytes on their way.
     *
     * @param now            monotonic nanoseconds
     * @param bytes          with headers
     * @param bytesPerSecond what is allowed now, 0 for no bound
     */
    void note(long now, long bytes, long bytesPerSecond) {
        if (bytesPerSecond != rate) {
            second.clear();
            sum = 0;
            rate = bytesPerSecond;
        }
        if (rate == 0) {
            return;
        }
        second.add(new long[] {now, bytes});
        sum += bytes;
        counted++;
        while (now - second.peek()[0] >= SECOND) {
            sum -= second.poll()[1];
        }
        if (sum > MOST * rate) {
            throw new AssertionError("over the bandwidth: " + sum + " bytes in a second of "
                    + rate);
        }
    }

    /** How often something was held against a bound. */
    long counted() {
        return counted;
    }
}
