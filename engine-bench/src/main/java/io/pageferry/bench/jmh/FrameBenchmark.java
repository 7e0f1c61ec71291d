package io.pageferry.bench.jmh;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.wire.FrameHeader;
import io.pageferry.transport.wire.FrameVerifier;
import io.pageferry.transport.wire.PageBatchReader;
import io.pageferry.transport.wire.PageBatchWriter;
import io.pageferry.transport.wire.WireException;
import io.pageferry.transport.wire.WireLimits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

/** A frame of 128 raw pages: described and sealed at one end, verified and read at the other. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {Jvm.NATIVE, Jvm.QUIET, Jvm.WARNINGS})
public class FrameBenchmark {
    private static final int PAGES = 128;
    private static final long GENERATION = 1;
    private static final int BODY = WireLimits.FRAME_HEADER_BYTES;
    private static final int PAYLOAD = BODY + WireLimits.BATCH_HEADER_BYTES
            + PAGES * PageBatch.DIRECTORY_ENTRY_BYTES;

    private final MemorySegment memory =
            Arena.ofAuto().allocate(PAYLOAD + PageBatch.PAYLOAD_CAPACITY, 64);
    private final ByteBuffer frame = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    private final PageBatch sent =
            new PageBatch(memory.asSlice(PAYLOAD, PageBatch.PAYLOAD_CAPACITY));
    private final PageBatch received =
            new PageBatch(memory.asSlice(PAYLOAD, PageBatch.PAYLOAD_CAPACITY));
    private final FrameHeader.Sealer alone = new FrameHeader.Sealer();
    private final FrameVerifier bodies = new FrameVerifier();
    private final FrameHeader.Sealer sealer = new FrameHeader.Sealer();
    private final FrameVerifier verifier = new FrameVerifier();
    private final PageBatchReader reader = new PageBatchReader(
            RegionTable.single("ram", PageGeometry.bytesOf(PAGES)), GENERATION, 0);
    private long sequence;

    /** Made by JMH. */
    public FrameBenchmark() {
    }

    /**
     * Makes a frame to look at.
     *
     * @throws WireException never
     */
    @Setup
    public void make() throws WireException {
        memory.asSlice(PAYLOAD, PageBatch.PAYLOAD_CAPACITY).fill((byte) 0x5a);
        describe(1);
        alone.seal(frame, 0);
        bodies.header(frame, 0);
    }

    /** Number and checksums of a frame. */
    @Benchmark
    public void seal() {
        alone.seal(frame, 0);
    }

    /**
     * The checksum of a batch's directory.
     *
     * @throws WireException never
     */
    @Benchmark
    public void verify() throws WireException {
        bodies.body(frame, BODY);
    }

    /**
     * The way of a frame, without the socket.
     *
     * @return pages read
     * @throws WireException never
     */
    @Benchmark
    public int writeSealVerifyRead() throws WireException {
        describe(++sequence);
        sealer.seal(frame, 0);
        verifier.header(frame, 0);
        verifier.body(frame, BODY);
        reader.read(frame, BODY, verifier, sequence, received);
        return received.count();
    }

    private void describe(long number) {
        sent.begin(0, 0);
        for (int i = 0; i < PAGES; i++) {
            sent.append(i, PageCodec.RAW, PageCodec.PAGE, 0);
        }
        sent.stamp(GENERATION, 0, number);
        PageBatchWriter.write(sent, frame, PAYLOAD);
    }
}
