package io.pageferry.bench.jmh;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.precopy.RateLimiter;
import io.pageferry.core.precopy.RoundLane;
import io.pageferry.core.round.Bandwidth;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.concurrent.SystemNanoClock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What lanes share, each thread as a lane: run it with {@code -t 1} and with as many threads as
 * there are processors. A word that each lane has for itself costs the same in both; one that all
 * write to does not.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {Jvm.NATIVE, Jvm.QUIET, Jvm.WARNINGS})
public class LaneBenchmark {
    private static final int LANES = 64;
    private static final int RUN = 64;
    private static final long RATE = 1L << 50;

    /** Made by JMH. */
    public LaneBenchmark() {
    }

    /** The tables of a migration. */
    @State(Scope.Benchmark)
    public static class Shared {
        private final DirtyBitmap dirty = new DirtyBitmap((long) LANES * RoundLane.EXTENT_PAGES);
        private final ChecksumTable sums = new ChecksumTable((long) LANES * RoundLane.EXTENT_PAGES);
        private final AtomicInteger lanes = new AtomicInteger();
        private final RateLimiter unbounded =
                new RateLimiter(SystemNanoClock.INSTANCE, Bandwidth.UNLIMITED);
        private final RateLimiter bounded =
                new RateLimiter(SystemNanoClock.INSTANCE, new Bandwidth(RATE, RATE));

        /** Made by JMH. */
        public Shared() {
        }

        /** Frees the tables. */
        @TearDown
        public void close() {
            dirty.close();
            sums.close();
        }
    }

    /** One lane. */
    @State(Scope.Thread)
    public static class Lane {
        private long extent;
        private int turn;

        /** Made by JMH. */
        public Lane() {
        }

        /**
         * Takes an extent that no other thread has.
         *
         * @param shared of all lanes
         */
        @Setup
        public void take(Shared shared) {
            extent = (long) (shared.lanes.getAndIncrement() % LANES) * RoundLane.EXTENT_PAGES;
        }

        private long run() {
            turn = (turn + RUN) % RoundLane.EXTENT_PAGES;
            return extent + turn;
        }
    }

    /**
     * Clears and marks a run of 64 pages of its own.
     *
     * @param shared the tables
     * @param lane   this thread's
     */
    @Benchmark
    public void bitsOfItsOwn(Shared shared, Lane lane) {
        long run = lane.run();
        shared.dirty.clearRange(run, RUN);
        shared.dirty.markRange(run, RUN);
    }

    /**
     * Does the same with a run that all threads have: what extents prevent.
     *
     * @param shared the tables
     */
    @Benchmark
    public void bitsOfAll(Shared shared) {
        shared.dirty.clearRange(0, RUN);
        shared.dirty.markRange(0, RUN);
    }

    /**
     * Notes the checksum of a page of its own.
     *
     * @param shared the tables
     * @param lane   this thread's
     * @return by how much the digest changed
     */
    @Benchmark
    public long sumOfItsOwn(Shared shared, Lane lane) {
        long page = lane.run();
        return shared.sums.put(page, lane.turn ^ (int) page);
    }

    /**
     * Asks for a batch and counts it where no bandwidth was given.
     *
     * @param shared the limiter
     * @return whether it may go
     */
    @Benchmark
    public boolean batchWithoutBound(Shared shared) {
        return batch(shared.unbounded);
    }

    /**
     * Does the same under {@code --bandwidth}, which all lanes share by a lock.
     *
     * @param shared the limiter
     * @return whether it may go
     */
    @Benchmark
    public boolean batchUnderABound(Shared shared) {
        return batch(shared.bounded);
    }

    private static boolean batch(RateLimiter limiter) {
        boolean free = limiter.isFree() && limiter.mostAtOnce() > 0;
        limiter.took(1 << 19);
        return free;
    }
}
