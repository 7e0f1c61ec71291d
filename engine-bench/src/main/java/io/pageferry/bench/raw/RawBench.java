package io.pageferry.bench.raw;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Folders;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.bench.move.Content;
import io.pageferry.bench.move.FreshPair;
import io.pageferry.bench.move.MoveRig;
import io.pageferry.bench.move.ResidentMemory;
import io.pageferry.core.codec.CodecChoice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Ours beside raw Netty over the very same memory, and a fresh pair of commands beside iperf3:
 * incompressible pages, loopback, one channel, verification on, memory resident before the clock.
 */
public final class RawBench extends Bench {
    private static final double GIB = 1L << 30;
    private static final long SEED = 20_251_101;

    /** What issue and docs/BENCHMARKS.md ask of ours. */
    private static final double OF_RAW_NETTY = 0.7;
    private static final double OF_IPERF = 0.6;

    private final List<Double> ours = new ArrayList<>();
    private final List<Double> raw = new ArrayList<>();
    private final List<Double> fresh = new ArrayList<>();
    private final List<Double> iperf = new ArrayList<>();
    private long wireBytes;
    private String problem;

    /** Made by the service loader. */
    public RawBench() {
    }

    @Override
    public String name() {
        return "raw";
    }

    @Override
    public String about() {
        return "[--memory 2GiB] [--runs 5] [--warm-ups 3] [--fresh 3]: ours against raw Netty on"
                + " the same memory, and against iperf3";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        long memory = options.bytes("memory", "2GiB");
        int pairs = options.count("fresh", 3, 0);
        warm(memory, options.count("runs", 5, 1), options.count("warm-ups", 3, 0), output);
        if (pairs > 0) {
            fresh(memory, pairs, output);
        }
        return result(memory);
    }

    private void warm(long memory, int runs, int warmUps, Output output) throws IOException {
        try (ResidentMemory from = new ResidentMemory("pageferry-bench-source", memory);
                ResidentMemory to = new ResidentMemory("pageferry-bench-target", memory);
                MoveRig rig = new MoveRig(from, to);
                RawNetty netty = new RawNetty(from.bytes(), to.bytes())) {
            from.fill(Content.RANDOM, SEED);
            for (int run = 1 - warmUps; run <= runs; run++) {
                to.scribble();
                MoveRig.Move move = rig.move(CodecChoice.ADAPTIVE, 0);
                check(move.problem() != null ? move.problem()
                        : from.equalTo(to) ? null : "ours: the image differs");
                to.scribble();
                long nanos = netty.move();
                check(from.equalTo(to) ? null : "raw Netty: the memory differs");
                double rate = memory / GIB * 1e9 / move.totalNanos();
                output.human(String.format(Locale.ROOT, "run %2d: ours %.2f GiB/s, raw Netty %.2f",
                        run, rate, memory / GIB * 1e9 / nanos));
                if (run > 0) {
                    ours.add(rate);
                    raw.add(memory / GIB * 1e9 / nanos);
                    wireBytes = move.wireBytes();
                }
            }
        } catch (LinuxException e) {
            throw new IOException("two times " + memory + " bytes are needed: "
                    + e.getMessage(), e);
        }
    }

    private void fresh(long memory, int pairs, Output output) throws IOException {
        String uri = "workload:" + memory + "B";
        Path folder = Folders.temporary();
        try {
            for (int i = 1; i <= pairs; i++) {
                JsonNode report = FreshPair.move(uri + "?rate=0&fill=random", uri, folder,
                        List.of());
                check(FreshPair.isGood(report) ? null : "a fresh pair: "
                        + report.path("result").asText() + " "
                        + report.at("/error/reason").asText());
                fresh.add(memory / GIB * 1000 / report.path("totalMs").asDouble());
                if (Iperf.isInstalled()) {
                    iperf.add(Iperf.bytesPerSecond(memory) / GIB);
                }
                output.human(String.format(Locale.ROOT, "pair %d: ours %.2f GiB/s, iperf3 %s", i,
                        fresh.getLast(), iperf.isEmpty() ? "is not installed"
                                : String.format(Locale.ROOT, "%.2f", iperf.getLast())));
            }
        } finally {
            Folders.delete(folder);
        }
    }

    private void check(String trouble) {
        if (trouble != null && problem == null) {
            problem = trouble;
        }
    }

    private ObjectNode result(long memory) {
        Rows rows = new Rows(name(), SEED);
        boolean good = problem == null;
        if (!good) {
            rows.note("what went wrong", "FAIL", problem);
        }
        rows.reference("raw Netty, warm", sample(raw), "GiB/s", good);
        rows.add("ours, warm, in one process", sample(ours), "GiB/s",
                new Rows.Against("raw Netty", sample(raw).median(), OF_RAW_NETTY), good);
        rows.reference("floor: our wire bytes at raw Netty's rate",
                new Sample(wireBytes / GIB / sample(raw).median() * 1000), "ms", good);
        rows.add("ours, time", new Sample(ours.stream()
                .mapToDouble(rate -> memory / GIB / rate * 1000).toArray()), "ms", good);
        if (fresh.isEmpty()) {
            return rows.result();
        }
        if (iperf.isEmpty()) {
            rows.add("ours, a fresh pair of commands", sample(fresh), "GiB/s", good);
            rows.note("iperf3", "OK", "not installed here, so nothing to compare with");
        } else {
            rows.reference("iperf3, one stream", sample(iperf), "GiB/s", good);
            rows.add("ours, a fresh pair of commands", sample(fresh), "GiB/s",
                    new Rows.Against("iperf3", sample(iperf).median(), OF_IPERF), good);
        }
        return rows.result();
    }

    private static Sample sample(List<Double> values) {
        return new Sample(values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
