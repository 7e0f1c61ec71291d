package io.pageferry.bench.jmh;

import io.pageferry.core.dirty.DirtyBitmap;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** The bitmap of a guest of 1 TiB: 2^28 pages, one in a thousand dirty, at random places. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {Jvm.NATIVE, Jvm.QUIET, Jvm.WARNINGS})
public class BitmapBenchmark {
    private static final long PAGES = 1L << 28;
    private static final int DIRTY = (int) (PAGES / 1000);
    private static final long SEED = 5;

    /** Made by JMH. */
    public BitmapBenchmark() {
    }

    /** A tracker's bitmap and the runner's. */
    @State(Scope.Thread)
    public static class Bitmaps {
        private final DirtyBitmap tracked = new DirtyBitmap(PAGES);
        private final DirtyBitmap dirty = new DirtyBitmap(PAGES);
        private final long[] written = new long[DIRTY];
        private long runs;
        private long pages;

        /** Made by JMH. */
        public Bitmaps() {
        }

        /** Draws the places; touches all memory of both. */
        @Setup(Level.Trial)
        public void draw() {
            SplittableRandom random = new SplittableRandom(SEED);
            for (int i = 0; i < DIRTY; i++) {
                written[i] = random.nextLong(PAGES);
            }
            tracked.markAll();
            tracked.harvestInto(dirty);
        }

        /** The guest wrote, and the round before was sent. */
        @Setup(Level.Invocation)
        public void write() {
            dirty.clearAll();
            for (long page : written) {
                tracked.mark(page);
            }
        }

        /** Frees both bitmaps. */
        @TearDown(Level.Trial)
        public void close() {
            tracked.close();
            dirty.close();
        }

        private void run(long first, long count) {
            runs++;
            pages += count;
        }
    }

    /** One bitmap that is marked over and over. */
    @State(Scope.Thread)
    public static class Marked {
        private final DirtyBitmap bitmap = new DirtyBitmap(PAGES);
        private final long[] places = new long[1 << 16];
        private int next;

        /** Made by JMH. */
        public Marked() {
        }

        /** Draws the places. */
        @Setup(Level.Trial)
        public void draw() {
            SplittableRandom random = new SplittableRandom(SEED);
            for (int i = 0; i < places.length; i++) {
                places[i] = random.nextLong(PAGES);
            }
        }

        /** Frees the bitmap. */
        @TearDown(Level.Trial)
        public void close() {
            bitmap.close();
        }
    }

    /**
     * What begins a round: harvest, then every run.
     *
     * @param bitmaps of the guest
     * @return so that nothing is optimised away
     */
    @Benchmark
    public long harvestAndIterate(Bitmaps bitmaps) {
        bitmaps.tracked.harvestInto(bitmaps.dirty);
        bitmaps.dirty.forEachRun(bitmaps::run);
        return bitmaps.runs + bitmaps.pages;
    }

    /**
     * The harvest alone.
     *
     * @param bitmaps of the guest
     */
    @Benchmark
    public void harvest(Bitmaps bitmaps) {
        bitmaps.tracked.harvestInto(bitmaps.dirty);
    }

    /**
     * One mark at a random place of 32 MiB of bits.
     *
     * @param marked a bitmap
     * @return so that nothing is optimised away
     */
    @Benchmark
    @OutputTimeUnit(TimeUnit.NANOSECONDS)
    public boolean mark(Marked marked) {
        marked.next = marked.next + 1 & marked.places.length - 1;
        return marked.bitmap.mark(marked.places[marked.next]);
    }
}
