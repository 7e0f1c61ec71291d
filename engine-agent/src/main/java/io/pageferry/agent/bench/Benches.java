package io.pageferry.agent.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/** Runs {@code pageferry bench [NAME [--option value …]]}. */
public final class Benches {
    private static final int FAILED = 4;
    private static final int USAGE = 2;
    private static final int REFUSED = 3;

    private Benches() {
    }

    /**
     * Lists benchmarks or runs one.
     *
     * @param args   behind {@code bench}
     * @param output to write to
     * @return exit code: 0, 2 usage, 3 cannot be run here, 4 a row failed
     */
    public static int run(List<String> args, Output output) {
        List<String> words = args.stream().filter(word -> !word.equals("--json")
                && !word.equals("--verbose")).toList();
        if (words.isEmpty() || words.getFirst().equals("--help")) {
            ServiceLoader.load(Benchmark.class).forEach(
                    bench -> output.human(bench.name() + "  " + bench.about()));
            output.human("each: [--chart FILE]: its rows as SVG; [--against DIR [--turns 5]]: "
                    + "compared with the build in another checkout, both in turn");
            return 0;
        }
        for (Benchmark bench : ServiceLoader.load(Benchmark.class)) {
            if (bench.name().equals(words.getFirst())) {
                return run(bench, words.subList(1, words.size()), output);
            }
        }
        output.note("pageferry: the benchmark '" + words.getFirst()
                + "' is not in this version; pageferry bench lists those that are");
        return USAGE;
    }

    private static int run(Benchmark bench, List<String> words, Output output) {
        try {
            ObjectNode result = bench.run(options(words), output);
            boolean failed = false;
            for (JsonNode row : result.path("rows")) {
                output.human(String.format("%-44s %12s %-6s %-16s %-7s %s",
                        row.path("what").asText(), row.path("value").asText(),
                        row.path("unit").asText(), row.path("spread").asText(),
                        ratio(row), row.path("verdict").asText()));
                failed |= row.path("verdict").asText().equals("FAIL");
            }
            output.emit(result);
            return failed ? FAILED : 0;
        } catch (IllegalArgumentException e) {
            output.note("pageferry: " + e.getMessage());
            return USAGE;
        } catch (IOException e) {
            output.note("pageferry: " + e.getMessage());
            return REFUSED;
        }
    }

    private static String ratio(JsonNode row) {
        return row.has("ratio")
                ? "= " + row.path("ratio").asText() + " × " + row.path("against").asText() : "";
    }

    private static Map<String, String> options(List<String> words) {
        Map<String, String> options = new LinkedHashMap<>();
        for (int i = 0; i < words.size(); i += 2) {
            if (!words.get(i).startsWith("--") || i + 1 == words.size()) {
                throw new IllegalArgumentException(
                        "'" + words.get(i) + "': write --option value");
            }
            options.put(words.get(i).substring(2), words.get(i + 1));
        }
        return options;
    }
}
