package io.pageferry.bench.link;

import com.sun.management.OperatingSystemMXBean;
import io.pageferry.transport.netty.TransportKind;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Measures how fast the link moves raw pages over loopback, for each kind of transport that this
 * host has: memory resident on both sides, kinds interleaved, median and spread.
 *
 * <p>Each page is copied once into its slot at the source and once into the image at the target,
 * with the frame's checksum on both sides; no codec, no checksum of pages.
 */
public final class TransportRig {
    private static final int ROUNDS = 5;
    private static final int WARM_UPS = 2;
    private static final double GIB = 1L << 30;

    private TransportRig() {
    }

    /**
     * Runs the rig.
     *
     * @param args bytes of each run (default 2 GiB), channels (1), window (16)
     * @throws Exception when a link fails
     */
    public static void main(String[] args) throws Exception {
        long bytes = args.length > 0 ? Long.parseLong(args[0]) : 2L << 30;
        int channels = args.length > 1 ? Integer.parseInt(args[1]) : 1;
        int window = args.length > 2 ? Integer.parseInt(args[2]) : 16;
        print(measure(bytes, channels, window), System.out);
    }

    /** What one run of one kind showed. */
    private record Run(double gibPerSecond, double cpuSecondsPerGib) { }

    private static Map<TransportKind, List<Run>> measure(long bytes, int channels, int window)
            throws Exception {
        Map<TransportKind, List<Run>> runs = new EnumMap<>(TransportKind.class);
        List<LoopbackPair> pairs = new ArrayList<>();
        try {
            for (TransportKind kind : TransportKind.values()) {
                if (kind.isAvailable()) {
                    pairs.add(new LoopbackPair(kind, channels, window));
                    runs.put(kind, new ArrayList<>());
                }
            }
            for (int round = -WARM_UPS; round < ROUNDS; round++) {
                for (LoopbackPair pair : pairs) {
                    Run run = run(pair, bytes);
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
        // Processor time tells the kinds apart even where other programs share the machine.
        OperatingSystemMXBean system =
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long cpu = system.getProcessCpuTime();
        double seconds = pair.move(bytes) / 1e9;
        double cpuSeconds = (system.getProcessCpuTime() - cpu) / 1e9;
        return new Run(bytes / GIB / seconds, cpuSeconds / (bytes / GIB));
    }

    private static void print(Map<TransportKind, List<Run>> runs, PrintStream out) {
        out.println("| transport | GiB/s, median of " + ROUNDS
                + " | lowest … highest | CPU s per GiB, median |");
        out.println("|---|---|---|---|");
        runs.forEach((kind, list) -> {
            double[] rates = list.stream().mapToDouble(Run::gibPerSecond).sorted().toArray();
            double[] cpu = list.stream().mapToDouble(Run::cpuSecondsPerGib).sorted().toArray();
            out.printf("| %s | %.2f | %.2f … %.2f | %.2f |%n",
                    kind, rates[ROUNDS / 2], rates[0], rates[ROUNDS - 1], cpu[ROUNDS / 2]);
        });
    }
}
