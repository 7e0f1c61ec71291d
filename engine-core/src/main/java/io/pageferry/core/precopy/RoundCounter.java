package io.pageferry.core.precopy;

import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.round.PagesByCodec;
import io.pageferry.core.round.RoundStats;

/** Counts one round while it runs. Confined to one thread. */
public final class RoundCounter {
    private final long round;
    private final boolean stopAndCopy;
    private final long startNanos;
    private final long[] byCodec = new long[PageCodec.HIGHEST + 1];
    private long dirtyPages;
    private long startWireBytes;
    private long skipped;

    RoundCounter(long round, boolean stopAndCopy, long startNanos) {
        this.round = round;
        this.stopAndCopy = stopAndCopy;
        this.startNanos = startNanos;
    }

    /** Returns one of the same round that has counted no page. */
    RoundCounter fresh() {
        RoundCounter fresh = new RoundCounter(round, stopAndCopy, startNanos);
        fresh.began(dirtyPages, startWireBytes);
        return fresh;
    }

    void began(long dirty, long wireBytes) {
        dirtyPages = dirty;
        startWireBytes = wireBytes;
    }

    /** Adds what a lane handled of the same round. */
    void add(RoundCounter lane) {
        for (int i = 0; i < byCodec.length; i++) {
            byCodec[i] += lane.byCodec[i];
        }
        skipped += lane.skipped;
    }

    void sent(int codec) {
        byCodec[codec]++;
    }

    void skipped() {
        skipped++;
    }

    /** {@return the round, 0 based} */
    public long round() {
        return round;
    }

    /** {@return pages dirty when it began} */
    public long dirtyPages() {
        return dirtyPages;
    }

    /** Returns pages handled so far. */
    long handled() {
        return sentPages() + skipped;
    }

    RoundStats finish(long nowNanos, long wireBytes) {
        return new RoundStats(round, stopAndCopy, dirtyPages,
                new PagesByCodec(byCodec[PageCodec.ZERO], byCodec[PageCodec.RAW],
                        byCodec[PageCodec.LZ4], byCodec[PageCodec.DELTA],
                        byCodec[PageCodec.ZSTD]),
                skipped, wireBytes - startWireBytes, nowNanos - startNanos, 0, 0);
    }

    private long sentPages() {
        long sum = 0;
        for (long pages : byCodec) {
            sum += pages;
        }
        return sum;
    }
}
