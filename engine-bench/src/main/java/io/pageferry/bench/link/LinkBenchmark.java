package io.pageferry.bench.link;

import io.pageferry.bench.jmh.Jvm;
import io.pageferry.transport.netty.TransportKind;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** 256 MiB of raw pages over a loopback link, until all were acknowledged. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {Jvm.NATIVE, Jvm.QUIET, Jvm.WARNINGS})
public class LinkBenchmark {
    private static final long BYTES = 256L << 20;
    private static final int WINDOW = 16;

    /** How Netty reaches the kernel. */
    @Param({"NIO", "EPOLL", "IO_URING"})
    private TransportKind kind;

    private LoopbackPair pair;

    /** Made by JMH. */
    public LinkBenchmark() {
    }

    /**
     * Connects both ends of a link.
     *
     * @throws IOException when this host has not that kind
     */
    @Setup
    public void open() throws IOException {
        if (!kind.isAvailable()) {
            throw new IOException(kind + " is not on this host");
        }
        pair = new LoopbackPair(kind, 1, WINDOW);
    }

    /** Closes both ends. */
    @TearDown
    public void close() {
        pair.close();
    }

    /**
     * Moves one batch over the link.
     *
     * @return nanoseconds by the rig's own clock
     */
    @Benchmark
    public long move() {
        return pair.move(BYTES);
    }
}
