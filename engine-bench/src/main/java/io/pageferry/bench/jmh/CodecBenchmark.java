package io.pageferry.bench.jmh;

import io.pageferry.bench.move.Content;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.Lz4Codec;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.codec.page.RawCodec;
import io.pageferry.core.codec.page.ZeroCodec;
import io.pageferry.core.dirty.SentPages;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Nanoseconds a page: every codec both ways, and the encoder as a round uses it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = {Jvm.NATIVE, Jvm.QUIET, Jvm.WARNINGS})
public class CodecBenchmark {
    private static final int PAGE = PageCodec.PAGE;
    private static final int PAGES = 128;
    private static final long SEED = 3;

    /** What the pages hold. */
    @Param({"ZERO", "TEXT", "HALF_RANDOM", "RANDOM", "SMALL_CHANGE"})
    private Content content;

    private final PageCodec zero = new ZeroCodec();
    private final PageCodec raw = new RawCodec();
    private final PageCodec lz4 = new Lz4Codec();
    private final PageEncoder adaptive = new PageEncoder(CodecChoice.ADAPTIVE, 0,
            System::nanoTime);
    private final ByteBuffer pages = ByteBuffer.allocateDirect(PAGES * PAGE);
    private final PageSource guest = new Guest(
            RegionTable.single("ram", (long) PAGES * PAGE), MemorySegment.ofBuffer(pages));
    private final ByteBuffer packed = ByteBuffer.allocateDirect(PAGES * PAGE);
    private final int[] lengths = new int[PAGES];
    private final ByteBuffer out = ByteBuffer.allocateDirect(PAGE);
    private final PageBatch batch =
            new PageBatch(Arena.ofAuto().allocate(PageBatch.PAYLOAD_CAPACITY, 64));

    private record Guest(RegionTable regions, MemorySegment memory) implements GuestMemory {
        @Override
        public MemorySegment window(int region) {
            return memory;
        }

        @Override
        public long nextData(long page) {
            return page;
        }

        @Override
        public long nextHole(long page) {
            return PAGES;
        }
    }

    /** Made by JMH. */
    public CodecBenchmark() {
    }

    /** Fills the pages, and packs them for the way back. */
    @Setup
    public void fill() {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] page = new byte[PAGE];
        for (int i = 0; i < PAGES; i++) {
            content.fill(page, i, random);
            pages.put(i * PAGE, page);
            lengths[i] = lz4.encode(pages, i * PAGE, packed, i * PAGE);
        }
    }

    /**
     * The zero test.
     *
     * @return so that nothing is optimised away
     */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public int zeroEncode() {
        return encode(zero);
    }

    /**
     * Encodes raw: a copy.
     *
     * @return so that nothing is optimised away
     */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public int rawEncode() {
        return encode(raw);
    }

    /**
     * LZ4, whether it gains or not.
     *
     * @return so that nothing is optimised away
     */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public int lz4Encode() {
        return encode(lz4);
    }

    /**
     * What a round does: stable copy, zero test, checksum, codec.
     *
     * @return so that nothing is optimised away
     */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public int encoder() {
        batch.begin(0, 0);
        for (int first = 0; first < PAGES; first += PagedMemory.RUN_PAGES) {
            int end = first + adaptive.copy(guest, first, PagedMemory.RUN_PAGES, batch);
            for (int i = first; i < end; i++) {
                adaptive.encode(i, batch, false, SentPages.NONE);
            }
        }
        return batch.payloadBytes();
    }

    /**
     * Decodes zero pages: zeros are written.
     *
     * @throws PageDecodeException never
     */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void zeroDecode() throws PageDecodeException {
        for (int i = 0; i < PAGES; i++) {
            zero.decode(packed, 0, 0, out, 0);
        }
    }

    /**
     * Decodes raw: a copy.
     *
     * @throws PageDecodeException never
     */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void rawDecode() throws PageDecodeException {
        for (int i = 0; i < PAGES; i++) {
            raw.decode(pages, i * PAGE, PAGE, out, 0);
        }
    }

    /**
     * LZ4 back; pages that it could not make smaller are copied, as a round sends them raw.
     *
     * @throws PageDecodeException never
     */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void lz4Decode() throws PageDecodeException {
        for (int i = 0; i < PAGES; i++) {
            if (lengths[i] == PageCodec.NO_GAIN) {
                raw.decode(pages, i * PAGE, PAGE, out, 0);
            } else {
                lz4.decode(packed, i * PAGE, lengths[i], out, 0);
            }
        }
    }

    private int encode(PageCodec codec) {
        int sum = 0;
        for (int i = 0; i < PAGES; i++) {
            sum += codec.encode(pages, i * PAGE, out, 0);
        }
        return sum;
    }
}
