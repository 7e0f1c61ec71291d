package io.pageferry.bench.jmh;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.bench.move.Content;
import io.pageferry.bench.move.MoveRig;
import io.pageferry.bench.move.ResidentMemory;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.words.Quantity;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Whole migrations over loopback, verified: time, and beside it downtime, throughput, wire. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 4)
@Measurement(iterations = 8)
@Fork(value = 1, jvmArgsAppend = {Jvm.NATIVE, Jvm.QUIET, Jvm.WARNINGS})
public class MigrationBenchmark {
    private static final long SEED = 9;

    /** What the guest holds. */
    @Param({"RANDOM", "MIXED"})
    private Content content;

    /** The guest's memory. */
    @Param("1GiB")
    private String memory;

    /** What it writes meanwhile, at random places. */
    @Param({"0", "100MiB/s"})
    private String rate;

    private ResidentMemory from;
    private ResidentMemory to;
    private MoveRig rig;

    /** Made by JMH. */
    public MigrationBenchmark() {
    }

    /** Figures beside the time. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Figures {
        /** The guest paused, microseconds. */
        public long downtimeMicros;

        /** Guest memory over total time. */
        public long throughputMiBPerSecond;

        /** Sent with all headers. */
        public long wireMiB;

        /** Made by JMH. */
        public Figures() {
        }
    }

    /**
     * Makes memory resident on both sides.
     *
     * @throws IOException when a rig cannot be made here
     * @throws LinuxException when there is not so much memory
     */
    @Setup(Level.Trial)
    public void open() throws IOException, LinuxException {
        from = new ResidentMemory("pageferry-jmh-source", Quantity.bytes(memory));
        to = new ResidentMemory("pageferry-jmh-target", Quantity.bytes(memory));
        from.fill(content, SEED);
        rig = new MoveRig(from, to);
    }

    /** Forgets the image of the move before. */
    @Setup(Level.Invocation)
    public void scribble() {
        to.scribble();
    }

    /**
     * Frees both memories.
     *
     * @throws IOException when a file resists
     */
    @TearDown(Level.Trial)
    public void close() throws IOException {
        rig.close();
        from.close();
        to.close();
    }

    /**
     * Runs one migration.
     *
     * @param figures to fill
     * @throws IOException when it could not begin
     */
    @Benchmark
    public void migrate(Figures figures) throws IOException {
        MoveRig.Move move = rig.move(CodecChoice.ADAPTIVE, Quantity.bytesPerSecond(rate));
        if (move.problem() != null) {
            throw new IOException(move.problem());
        }
        figures.downtimeMicros = move.downtimeNanos() / 1_000;
        figures.throughputMiBPerSecond =
                (long) ((from.bytes().byteSize() >> 20) * 1e9 / move.totalNanos());
        figures.wireMiB = move.wireBytes() >> 20;
    }
}
