package io.pageferry.core.codec.choice;

/** What was encoded and drained between two moments; {@link CodecRates} counts into it. */
final class Span {
    private static final double WEIGHT = 0.5;

    /** When it began. */
    long start;
    /** Whether the sink was full then: only so is what was committed also what was taken. */
    boolean beganFull;
    /** Batches that the sink had drained by then. */
    long drained;
    /** Pages that are not zero. */
    long pages;
    /** Of these, pages on which LZ4 was tried alone. */
    long tries;
    /** Of these, pages that went as what changed of them. */
    long deltas;
    /** What compressing blocks took. */
    long blockNanos;
    /** Bytes, and pages that are not zero, that the sink had drained by then. */
    long drainedBytes;
    long drainedPages;
    /** How long the sink was full. */
    long blockedNanos;

    /** How often the sink was found full, and how often because the target was behind. */
    private int looks;
    private int behind;
    /** What a raw page took where the target was behind, 0 unknown; stays over spans. */
    private double rawNanos;

    /** The sink was asked for a slot. */
    void looked(boolean full, boolean forTarget) {
        looks += full ? 1 : 0;
        behind += full && forTarget ? 1 : 0;
    }

    /** Whether the target, and not the link, is what the sink was full for, most of the time. */
    boolean isTargetBehind() {
        return 2 * behind > looks;
    }

    /** A page took so long while the sink was full. */
    void took(boolean compressed, double pageNanos) {
        if (!compressed) {
            rawNanos = isTargetBehind() ? pageNanos : 0;
        }
    }

    /** Whether the target is behind, and took raw pages faster than that when it was last. */
    boolean wasRawFaster(double pageNanos) {
        return isTargetBehind() && rawNanos > 0 && rawNanos < pageNanos;
    }

    /** A rate of the link, known and measured: what a slow target takes is the least that it is. */
    double held(double known, double measured) {
        return isTargetBehind() ? Math.max(known, measured) : blend(known, measured);
    }

    /** What is believed of a rate or a cost, where it is known already. */
    static double blend(double known, double measured) {
        return known == 0 ? measured : known + WEIGHT * (measured - known);
    }

    void begin(long now, Drain drain, boolean full) {
        start = now;
        beganFull = full;
        drained = drain.batches();
        drainedBytes = drain.bytes();
        drainedPages = drain.pages();
        pages = 0;
        tries = 0;
        deltas = 0;
        blockNanos = 0;
        blockedNanos = 0;
        looks = 0;
        behind = 0;
    }
}
