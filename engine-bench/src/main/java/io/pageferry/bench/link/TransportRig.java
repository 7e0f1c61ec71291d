package io.pageferry.bench.link;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.transport.netty.TransportKind;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures how fast the link moves raw pages over loopback, for each kind of transport that this
 * host has: memory resident on both sides, kinds interleaved, median and spread.
 *
 * <p>Each page is copied once into its slot at the source and once into the image at the target,
 * with the frame's checksum on both sides; no codec, no checksum of pages.
 */
public final class TransportRig extends Bench {
    private static final int WARM_UPS = 2;
    private static final double GIB = 1L << 30;

    /** Made by the service loader. */
    public TransportRig() {
    }

    /** What one run of one kind showed. */
    private record Run(double gibPerSecond, double cpuSecondsPerGib) { }

    /** What is asked for. */
    private record Plan(long bytes, int channels, int window, int runs) { }

    @Override
    public String name() {
        return "transports";
    }

    @Override
    public String about() {
        return "[--bytes 2GiB] [--channels 1] [--window 16] [--runs 5]: raw pages over loopback"
                + " by NIO, epoll and io_uring";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        Plan plan = new Plan(options.bytes("bytes", "2GiB"), options.count("channels", 1, 1),
                options.count("window", 16, 1), options.count("runs", 5, 1));
        Rows rows = new Rows(name(), 0);
        Map<TransportKind, List<Run>> measured = measure(plan);
        double fastest = measured.values().stream()
                .mapToDouble(runs -> rates(runs).median()).max().orElseThrow();
        for (TransportKind kind : TransportKind.values()) {
            String word = kind.name().toLowerCase(Locale.ROOT);
            if (kind.isAvailable()) {
                List<Run> runs = measured.get(kind);
                rows.add(word + ", rate", rates(runs), "GiB/s",
                        new Rows.Against("the fastest kind", fastest, 0), true);
                rows.add(word + ", processor time", new Sample(runs.stream()
                        .mapToDouble(Run::cpuSecondsPerGib).toArray()), "s/GiB", true);
            } else {
                rows.note(word, "OK", "not on this host: " + kind.unavailability());
            }
        }
        return rows.result();
    }

    private static Sample rates(List<Run> runs) {
        return new Sample(runs.stream().mapToDouble(Run::gibPerSecond).toArray());
    }

    private static Map<TransportKind, List<Run>> measure(Plan plan) throws IOException {
        Map<TransportKind, List<Run>> runs = new EnumMap<>(TransportKind.class);
        List<LoopbackPair> pairs = new ArrayList<>();
        try {
            for (TransportKind kind : TransportKind.values()) {
                if (kind.isAvailable()) {
                    pairs.add(new LoopbackPair(kind, plan.channels(), plan.window()));
                    runs.put(kind, new ArrayList<>());
                }
            }
            for (int round = -WARM_UPS; round < plan.runs(); round++) {
                for (LoopbackPair pair : pairs) {
                    Run run = run(pair, plan.bytes());
                    if (round >= 0) {
                        runs.get(pair.kind()).add(run);
                    }
                }
            }
        } finally {
            for (LoopbackPair pair : pairs) {
                pair.close();
            }
        }
        return runs;
    }

    private static Run run(LoopbackPair pair, long bytes) {
        // Processor time distinguishes the kinds even where other programs share the machine.
        OperatingSystemMXBean system =
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long cpu = system.getProcessCpuTime();
        double seconds = pair.move(bytes) / 1e9;
        double cpuSeconds = (system.getProcessCpuTime() - cpu) / 1e9;
        return new Run(bytes / GIB / seconds, cpuSeconds / (bytes / GIB));
    }
}
