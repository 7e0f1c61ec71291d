package io.pageferry.core.precopy;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.PageSink;
import io.pageferry.core.round.PageSinkFilter;
import org.agrona.concurrent.NanoClock;

/**
 * Holds back batches, the device state, or the streams of copied disks, so that they take no more
 * of a link than was asked for. A sink made by {@link #over} is full while there is no budget and
 * confined to one thread, which nothing here keeps waiting. All else may be called by any thread.
 *
 * <p>Rate {@code r} bytes a second, any second: at most {@link #SHARE} · r, what a late thread may
 * catch up on ({@link #SLACK_NANOS}) and one batch ({@link #BATCH_NANOS}, a page at least).
 */
public final class RateLimiter {
    /**
     * What batches with their headers get of the rate: TCP and IP take up to 66 of 1514 bytes
     * beside them, and a heartbeat or a barrier wants room too.
     */
    static final double SHARE = 0.96;

    /** A thread that was late catches up on so much and no more. */
    static final long SLACK_NANOS = 10_000_000L;

    /** No batch is larger than what the rate carries in this time. */
    static final long BATCH_NANOS = 10_000_000L;

    private static final double NANOS = 1e9;

    private final NanoClock clock;
    private Bandwidth bandwidth;
    private boolean paused;
    /** Written by a holder of this object's lock; read without it, as lanes ask for each batch. */
    private volatile long bytesPerSecond;
    private long freeNanos;

    /**
     * Makes one that begins with the bound of rounds while the guest runs.
     *
     * @param clock     monotonic
     * @param bandwidth what is allowed
     */
    public RateLimiter(NanoClock clock, Bandwidth bandwidth) {
        this.clock = clock;
        this.bandwidth = bandwidth;
        this.bytesPerSecond = bandwidth.bytesPerSecond();
        this.freeNanos = clock.nanoTime();
    }

    /**
     * Bounds a sink, or a lane's part of one.
     *
     * @param sink where the pages go; batches claimed above are given back above
     * @return a sink that is full while there is no budget
     */
    PageSink over(PageSink sink) {
        return new Paced(sink);
    }

    /**
     * Begins a round.
     *
     * @param stopAndCopy whether the guest is paused in it
     */
    public synchronized void roundBegins(boolean stopAndCopy) {
        paused = stopAndCopy;
        bytesPerSecond = stopAndCopy
                ? bandwidth.switchoverBytesPerSecond() : bandwidth.bytesPerSecond();
    }

    /**
     * Changes what is allowed, from now on, in the middle of a round too.
     *
     * @param other limits that hold instead
     */
    public synchronized void allow(MigrationLimits other) {
        bandwidth = other.bandwidth();
        long before = bytesPerSecond;
        roundBegins(paused);
        if (bytesPerSecond != before) {
            // A long pause after what was sent at a low rate is not made up at a high one.
            limit(bytesPerSecond);
        }
    }

    /**
     * Changes the bound, from now on; what was taken before is forgotten.
     *
     * @param newBytesPerSecond 0 for no bound
     */
    public synchronized void limit(long newBytesPerSecond) {
        bytesPerSecond = newBytesPerSecond;
        freeNanos = clock.nanoTime();
    }

    /** {@return the most that may be put on the link at once, in bytes, a page at least} */
    public int mostAtOnce() {
        long rate = bytesPerSecond;
        return rate == 0 ? Integer.MAX_VALUE : (int) Math.max(PageCodec.PAGE,
                Math.min(Integer.MAX_VALUE, rate * SHARE * BATCH_NANOS / NANOS));
    }

    /**
     * Counts what was put on the link, by others than a sink made here.
     *
     * @param bytes with headers
     */
    public void took(long bytes) {
        if (bytesPerSecond > 0) {
            count(bytes);
        }
    }

    private synchronized void count(long bytes) {
        if (bytesPerSecond > 0) {
            long earliest = clock.nanoTime() - SLACK_NANOS;
            long from = freeNanos - earliest < 0 ? earliest : freeNanos;
            freeNanos = from + (long) Math.ceil(bytes * NANOS / (bytesPerSecond * SHARE));
        }
    }

    /** {@return whether there is a bound now} */
    public boolean isBounded() {
        return bytesPerSecond > 0;
    }

    /** {@return whether something may be put on the link now} */
    public boolean isFree() {
        return bytesPerSecond == 0 || isPast();
    }

    private synchronized boolean isPast() {
        return clock.nanoTime() - freeNanos >= 0;
    }

    private final class Paced extends PageSinkFilter {
        private final PageSink sink;

        Paced(PageSink sink) {
            this.sink = sink;
        }

        @Override
        protected PageSink sink() {
            return sink;
        }

        @Override
        public PageBatch claim() {
            PageBatch slot = isFree() ? sink.claim() : null;
            if (slot != null) {
                slot.limit(mostAtOnce());
            }
            return slot;
        }

        @Override
        public void commit(PageBatch batch) {
            long before = sink.wireBytes();
            sink.commit(batch);
            took(sink.wireBytes() - before);
        }
    }
}
