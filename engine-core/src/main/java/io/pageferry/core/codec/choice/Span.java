package io.pageferry.core.codec.choice;

/** What was encoded and drained between two moments; {@link CodecRates} counts into it. */
final class Span {
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
    }
}
