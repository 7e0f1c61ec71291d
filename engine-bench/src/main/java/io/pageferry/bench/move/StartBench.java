package io.pageferry.bench.move;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Folders;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How long a cold {@code migrate} takes before its first byte, and in all, for a guest so small
 * that moving it takes no time: by the launcher, as a person types it, to a target that listens.
 * Another build takes turns with this one.
 */
public final class StartBench extends Bench {
    private static final long SEED = 1;

    /** Of the other build: what this one may take at most. */
    private static final double BAR = 0.4;

    /** Made by the service loader. */
    public StartBench() {
    }

    @Override
    public String name() {
        return "start";
    }

    @Override
    public String about() {
        return "[--runs 7] [--beside DIR]: from the start of a cold migrate to its first byte, and"
                + " to its end; in turn with the build in DIR";
    }

    /** The commands of one build. */
    private static final class Side {
        private final Path launcher;
        private final List<Double> first = new ArrayList<>();
        private final List<Double> whole = new ArrayList<>();
        private String problem;

        Side(Path launcher) {
            this.launcher = launcher;
        }

        void move(Path folder) throws IOException {
            JsonNode report = LauncherPair.move(launcher, folder);
            if (!FreshPair.isGood(report)) {
                problem = report.path("result").asText() + " "
                        + report.at("/error/reason").asText();
                return;
            }
            double startup = report.path("startupMs").asDouble();
            first.add(startup);
            whole.add(startup + report.path("totalMs").asDouble());
        }

        boolean isGood() {
            return problem == null && !first.isEmpty();
        }

        static Sample sample(List<Double> values) {
            return new Sample(values.stream().mapToDouble(Double::doubleValue).toArray());
        }
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        int runs = options.count("runs", 7, 1);
        String beside = options.text("beside", "");
        Side ours = new Side(Path.of(System.getProperty("pageferry.launcher")));
        Side other = beside.isEmpty() ? null : new Side(Path.of(beside).resolve("pageferry"));
        Path folder = Folders.temporary();
        try {
            // The first run of each may build.
            for (int i = 0; i <= runs; i++) {
                move(ours, i, folder, output);
                if (other != null) {
                    move(other, i, folder, output);
                }
            }
        } finally {
            Folders.delete(folder);
        }
        return rows(ours, other);
    }

    private static void move(Side side, int run, Path folder, Output output) throws IOException {
        side.move(folder.resolve("run"));
        if (run == 0 && side.isGood()) {
            side.first.clear();
            side.whole.clear();
            return;
        }
        if (side.isGood()) {
            output.human(String.format(Locale.ROOT, "run %d, %s: first byte after %.0f ms", run,
                    side.launcher, side.first.getLast()));
        }
    }

    private ObjectNode rows(Side ours, Side other) {
        Rows rows = new Rows(name(), SEED);
        add(rows, "ours", ours);
        if (other == null) {
            return rows.result();
        }
        add(rows, "the other build", other);
        if (ours.isGood() && other.isGood()) {
            double ratio = Side.sample(ours.first).median() / Side.sample(other.first).median();
            rows.note("first byte, ours ÷ the other's", ratio <= BAR ? "OK" : "FAIL",
                    String.format(Locale.ROOT, "%.2f (bar %.1f)", ratio, BAR));
        }
        return rows.result();
    }

    private static void add(Rows rows, String whose, Side side) {
        if (!side.isGood()) {
            rows.note(whose, "FAIL", side.problem);
            return;
        }
        rows.add(whose + ": start of migrate to its first byte", Side.sample(side.first), "ms",
                true);
        rows.add(whose + ": start of migrate to its guest at the target",
                Side.sample(side.whole), "ms", true);
    }
}
