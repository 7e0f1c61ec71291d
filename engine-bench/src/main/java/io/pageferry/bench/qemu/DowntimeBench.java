package io.pageferry.bench.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Folders;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.bench.move.FreshPair;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * Downtime of a lightly writing QEMU guest, from outside: the silence of its console over the
 * switch-over less the median tick, beside the report's own figure. A chain of moves of one guest,
 * each by a fresh pair of commands, source and target memory resident.
 */
public final class DowntimeBench extends Bench {
    /** Made by the service loader. */
    public DowntimeBench() {
    }

    /** One move, as seen from outside and as reported. */
    private record Move(ObservedMove.Seen seen, JsonNode report) {
        double reported() {
            return report.path("downtimeMs").asDouble();
        }

        boolean good() {
            return FreshPair.isGood(report) && seen.trouble() == null;
        }
    }

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
    protected ObjectNode measure(Options options, Output output) throws IOException {
        int moves = options.count("moves", 10, 1);
        DemoMachine machine = machine(options, GuestLoad.LIGHT,
                DemoMachine.Memory.PLAIN);
        Path folder = Folders.temporary();
        List<Move> done = new ArrayList<>();
        List<DemoQemu> guests = new ArrayList<>();
        try {
            guests.add(DemoQemu.source(machine, folder.resolve("vm0")));
            for (int i = 1; i <= moves; i++) {
                guests.add(DemoQemu.target(machine, folder.resolve("vm" + i)));
                Move move = move(guests, folder, options.text("codec", "adaptive"));
                done.add(move);
                output.human(String.format(Locale.ROOT, "move %2d: silence %.1f ms beyond the tick"
                        + " of %.1f ms, reported %.1f ms %s, longest silence before %.1f ms%s", i,
                        move.seen().gapMillis(), move.seen().tickMillis(), move.reported(),
                        move.report().path("downtime"), move.seen().silenceBeforeMillis(),
                        move.good() ? "" : ", FAILED: " + move.seen().trouble()));
                guests.get(i - 1).close();
            }
        } finally {
            for (DemoQemu guest : guests) {
                guest.close();
            }
            Folders.delete(folder);
        }
        return result(done);
    }

    /** A guest of the options' kernel and as much memory. */
    static DemoMachine machine(Options options, GuestLoad load, DemoMachine.Memory memory)
            throws IOException {
        String kernel = options.text("kernel", null);
        return new DemoMachine(DemoTools.find(kernel == null ? null : Path.of(kernel)), load,
                options.bytes("memory", "768MiB"), 1, memory, List.of());
    }

    private static Move move(List<DemoQemu> guests, Path folder, String codec)
            throws IOException {
        DemoQemu from = guests.get(guests.size() - 2);
        DemoQemu to = guests.getLast();
        try (ObservedMove observed = new ObservedMove(from, to)) {
            if (guests.size() == 2) {
                observed.awaitReady();
            }
            observed.calm();
            JsonNode report = FreshPair.move("qemu:" + from.qmp(), "qemu:" + to.qmp(), folder,
                    List.of("--codec", codec));
            return new Move(observed.seen(), report);
        }
    }

    private static ObjectNode result(List<Move> moves) {
        Rows rows = new Rows("downtime", 0);
        add(rows, "silence of the console, less the median tick", moves,
                move -> move.seen().gapMillis());
        add(rows, "downtime as reported", moves, Move::reported);
        add(rows, "difference of the two", moves,
                move -> Math.abs(move.seen().gapMillis() - move.reported()));
        add(rows, "longest silence before the switch-over", moves,
                move -> move.seen().silenceBeforeMillis());
        return rows.result();
    }

    private static void add(Rows rows, String what, List<Move> moves,
            ToDoubleFunction<Move> value) {
        rows.add(what, new Sample(moves.stream().mapToDouble(value).toArray()), "ms",
                moves.stream().allMatch(Move::good));
    }
}
