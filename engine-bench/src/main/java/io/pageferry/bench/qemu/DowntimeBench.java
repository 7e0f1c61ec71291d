package io.pageferry.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.bench.Benchmark;
import io.pageferry.agent.demo.AgentProcess;
import io.pageferry.agent.demo.ConsoleFollower;
import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.guest.Quantity;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Downtime of a lightly writing QEMU guest, from outside: the silence of its console over the
 * switch-over less the median tick, beside the report's own figure. A chain of moves of one guest,
 * each by a fresh pair of commands, source and target memory resident.
 */
public final class DowntimeBench implements Benchmark {
    private static final Duration BOOT = Duration.ofMinutes(3);
    private static final Duration TICKS = Duration.ofSeconds(60);

    /** Ticks before and after each move, to know the median tick. */
    private static final int CALM = 200;

    /** Made by the service loader. */
    public DowntimeBench() {
    }

    /** One move, milliseconds. */
    private record Move(double outside, double reported, double silenceBefore, double tick,
            JsonNode parts, boolean good) { }

    @Override
    public String name() {
        return "downtime";
    }

    @Override
    public String about() {
        return "[--moves 10] [--memory 768MiB] [--kernel FILE] [--codec C]: a QEMU guest that ticks"
                + " every 10 ms, from outside";
    }

    @Override
    public ObjectNode run(Map<String, String> options, Output output) throws IOException {
        int moves = Integer.parseInt(options.getOrDefault("moves", "10"));
        long memory = Quantity.bytes(options.getOrDefault("memory", "768MiB"));
        String kernel = options.get("kernel");
        DemoMachine machine = new DemoMachine(
                DemoTools.find(kernel == null ? null : Path.of(kernel)), GuestLoad.LIGHT, memory);
        Path folder = Files.createTempDirectory("pageferry-bench");
        List<Move> done = new ArrayList<>();
        List<DemoQemu> guests = new ArrayList<>();
        try {
            guests.add(DemoQemu.source(machine, folder.resolve("vm0")));
            for (int i = 1; i <= moves; i++) {
                guests.add(DemoQemu.target(machine, folder.resolve("vm" + i)));
                Move move = move(guests, folder, options.getOrDefault("codec", "adaptive"));
                done.add(move);
                output.human(String.format(Locale.ROOT, "move %2d: silence %.1f ms beyond the tick"
                        + " of %.1f ms, reported %.1f ms %s, longest silence before %.1f ms%s", i,
                        move.outside(), move.tick(), move.reported(), move.parts(),
                        move.silenceBefore(), move.good() ? "" : ", FAILED"));
                guests.get(i - 1).close();
            }
        } finally {
            for (DemoQemu guest : guests) {
                guest.close();
            }
            delete(folder);
        }
        return result(done);
    }

    private static Move move(List<DemoQemu> guests, Path folder, String codec)
            throws IOException {
        DemoQemu from = guests.get(guests.size() - 2);
        DemoQemu to = guests.getLast();
        try (ConsoleFollower console = new ConsoleFollower(
                List.of(from.console(), to.console()))) {
            if (guests.size() == 2 && !console.await(ConsoleFollower::ready, BOOT)) {
                throw new IOException("the guest did not get ready");
            }
            console.awaitTicks(CALM, TICKS);
            long start = System.nanoTime();
            JsonNode report = agents(from, to, folder, codec);
            console.awaitTicks(CALM, TICKS);
            long last = ConsoleLog.read(from.console()).lastTick();
            ConsoleFollower.Silence gap = console.silenceAfter(last);
            long[] before = console.intervals(start, gap.atNanos());
            double tick = millis(before[before.length / 2]);
            ConsoleLog whole = ConsoleLog.read(List.of(from.console(), to.console()));
            boolean good = report.path("result").asText().equals("completed")
                    && whole.bad() == 0 && whole.problems().isEmpty()
                    && whole.gaps().stream().allMatch(hole -> hole.before() == 0);
            return new Move(millis(gap.nanos()) - tick, report.path("downtimeMs").asDouble(),
                    millis(before[before.length - 1]), tick, report.path("downtime"), good);
        }
    }

    private static JsonNode agents(DemoQemu from, DemoQemu to, Path folder, String codec)
            throws IOException {
        List<String> shared = List.of("--json", "--progress", "none", "--state-dir",
                folder.resolve("state").toString());
        List<String> receive = new ArrayList<>(List.of("receive", "qemu:" + to.qmp(), "--listen",
                "127.0.0.1:0", "--once", "--prealloc"));
        receive.addAll(shared);
        try (AgentProcess target = AgentProcess.start(List.of(), receive, null)) {
            JsonNode listening = target.await("listening", event -> { });
            if (listening == null) {
                throw new IOException("the target agent did not listen");
            }
            List<String> migrate = new ArrayList<>(List.of("migrate", "qemu:" + from.qmp(), "--to",
                    listening.path("address").asText(), "--codec", codec));
            migrate.addAll(shared);
            try (AgentProcess source = AgentProcess.start(List.of(), migrate, null)) {
                JsonNode report = source.await("report", event -> { });
                target.exitCode();
                if (report == null) {
                    throw new IOException("the source agent ended without a report");
                }
                return report;
            }
        }
    }

    private static ObjectNode result(List<Move> moves) {
        ObjectNode result = Output.object();
        result.put("name", "downtime").put("machine", Machine.describe()).put("seed", 0);
        var rows = result.putArray("rows");
        boolean good = moves.stream().allMatch(Move::good);
        row(rows.addObject(), "silence of the console, less the median tick",
                moves.stream().mapToDouble(Move::outside).toArray(), good);
        row(rows.addObject(), "downtime as reported",
                moves.stream().mapToDouble(Move::reported).toArray(), good);
        row(rows.addObject(), "difference of the two",
                moves.stream().mapToDouble(m -> Math.abs(m.outside() - m.reported())).toArray(),
                good);
        row(rows.addObject(), "longest silence before the switch-over",
                moves.stream().mapToDouble(Move::silenceBefore).toArray(), good);
        return result;
    }

    private static void row(ObjectNode row, String what, double[] values, boolean good) {
        Arrays.sort(values);
        double median = (values[(values.length - 1) / 2] + values[values.length / 2]) / 2;
        row.put("what", what).put("value", Math.round(median * 10) / 10.0).put("unit", "ms")
                .put("spread", String.format(Locale.ROOT, "%.1f … %.1f", values[0],
                        values[values.length - 1]))
                .put("verdict", good ? "OK" : "FAIL");
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
