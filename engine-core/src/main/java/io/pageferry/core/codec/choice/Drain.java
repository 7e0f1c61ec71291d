package io.pageferry.core.codec.choice;

/**
 * What the sink has drained: bytes and pages of the batches that the target applied. Counted by
 * batches in the order in which they were committed, which on several channels is nearly that in
 * which they are applied.
 */
final class Drain {
    /** More are hardly ever under way; of older ones the sums are lost. */
    private static final int KEPT = 1 << 10;

    private final long[] bytes = new long[KEPT];
    private final long[] pages = new long[KEPT];
    private long committed;
    private long drained;

    /** A batch was committed, and so many wait to be acknowledged, this one among them. */
    void committed(int batchBytes, long batchPages, int unacknowledged) {
        int last = index(committed);
        int next = index(++committed);
        bytes[next] = bytes[last] + batchBytes;
        pages[next] = pages[last] + batchPages;
        drained = Math.max(drained, committed - Math.min(unacknowledged, KEPT - 1));
    }

    long committed() {
        return committed;
    }

    long batches() {
        return drained;
    }

    /** Bytes of all batches drained so far. */
    long bytes() {
        return bytes[index(drained)];
    }

    /** Pages of theirs that are not zero. */
    long pages() {
        return pages[index(drained)];
    }

    private static int index(long batch) {
        return (int) (batch & KEPT - 1);
    }
}
