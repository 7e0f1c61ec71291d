package io.pageferry.bench.jmh;

import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.scan.PageHash;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a page costs to sum: the CRC32C of the digest, and the 64-bit hash that would take its
 * place. The page was copied just before, so it is in the cache.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {Jvm.NATIVE, Jvm.QUIET, Jvm.WARNINGS})
public class SumBenchmark {
    private static final long SEED = 5;

    /** Made by JMH. */
    public SumBenchmark() {
    }

    /** One page of random bytes. */
    @State(Scope.Thread)
    public static class Page {
        private final ByteBuffer buffer = ByteBuffer.allocateDirect(PageGeometry.PAGE_SIZE);
        private final MemorySegment segment = MemorySegment.ofBuffer(buffer);
        private final PageChecksum checksum = new PageChecksum();

        /** Made by JMH. */
        public Page() {
        }

        /** Draws the bytes. */
        @Setup
        public void draw() {
            byte[] bytes = new byte[PageGeometry.PAGE_SIZE];
            new SplittableRandom(SEED).nextBytes(bytes);
            buffer.put(0, bytes);
        }
    }

    /**
     * Sums by CRC32C.
     *
     * @param page of one thread
     * @return the sum
     */
    @Benchmark
    public int crc32c(Page page) {
        return page.checksum.of(page.buffer, 0);
    }

    /**
     * Hashes by XXH3 with 64 bits.
     *
     * @param page of one thread
     * @return the hash
     */
    @Benchmark
    public long xxh3(Page page) {
        return PageHash.of(page.segment, 0);
    }
}
