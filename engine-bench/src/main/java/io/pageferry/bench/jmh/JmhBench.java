package io.pageferry.bench.jmh;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.BenchProcess;
import io.pageferry.bench.Build;
import io.pageferry.bench.Folders;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;

/**
 * Runs the benchmarks of JMH from a checkout's own jar, shortly: to compare two builds, and not to
 * know a time for itself.
 */
public final class JmhBench extends Bench {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Made by the service loader. */
    public JmhBench() {
    }

    @Override
    public String name() {
        return "jmh";
    }

    @Override
    public String about() {
        return "[--only REGEX] [--forks 1] [--warm-ups 2] [--iterations 3] [--millis 300]"
                + " [--memory 256MiB]: the benchmarks of JMH, medians over forks and iterations";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        Rows rows = new Rows(name(), 0);
        read(run(checkout(), options), rows);
        return rows.result();
    }

    /** By its jar: an older build has the jar, and no benchmark of this name. */
    @Override
    protected Build build(String title, Path checkout, Options options) {
        return new Build(title, () -> {
            Rows rows = new Rows(name(), 0);
            read(run(checkout, options), rows);
            List<JsonNode> list = new ArrayList<>();
            rows.result().path("rows").forEach(list::add);
            return list;
        });
    }

    private static JsonNode run(Path checkout, Options options) throws IOException {
        // The list of benchmarks is printed by an up-to-date build, so it is built where it is not.
        BenchProcess.run(List.of(checkout.resolve("pageferry").toString(), "bench"));
        String millis = options.count("millis", 300, 1) + "ms";
        Path folder = Folders.temporary();
        try {
            Path result = folder.resolve("result.json");
            BenchProcess.run(List.of(Path.of(System.getProperty("java.home"), "bin", "java")
                            .toString(), "-jar", jar(checkout).toString(),
                    "-f", Integer.toString(options.count("forks", 1, 1)),
                    "-wi", Integer.toString(options.count("warm-ups", 2, 0)),
                    "-i", Integer.toString(options.count("iterations", 3, 1)),
                    "-w", millis, "-r", millis, "-p", "memory=" + options.text("memory", "256MiB"),
                    "-rf", "json", "-rff", result.toString(), options.text("only", ".*")));
            return JSON.readTree(result.toFile());
        } finally {
            Folders.delete(folder);
        }
    }

    private static Path jar(Path checkout) throws IOException {
        Path target = checkout.resolve("engine-bench").resolve("target");
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(target, "*-benchmarks.jar")) {
            for (Path jar : jars) {
                return jar;
            }
        }
        throw new IOException("no jar of JMH benchmarks in " + target);
    }

    /**
     * Makes rows of what JMH found.
     *
     * @param results as JMH writes them with {@code -rf json}
     * @param rows    to add to, one for each benchmark and set of parameters
     */
    static void read(JsonNode results, Rows rows) {
        for (JsonNode result : results) {
            List<Double> values = new ArrayList<>();
            result.at("/primaryMetric/rawData")
                    .forEach(fork -> fork.forEach(value -> values.add(value.asDouble())));
            StringJoiner parameters = new StringJoiner(", ", " (", ")").setEmptyValue("");
            result.path("params").properties().forEach(parameter -> parameters.add(
                    parameter.getKey() + " " + parameter.getValue().asText()));
            // The package does not help a reader, and may be another one in the other build.
            String what = result.path("benchmark").asText()
                    .replaceFirst("^.*\\.(?=\\w+\\.\\w+$)", "") + parameters;
            if (values.isEmpty()) {
                rows.note(what, "FAIL", "JMH measured nothing");
            } else {
                rows.add(what, new Sample(values.stream().mapToDouble(v -> v).toArray()),
                        result.at("/primaryMetric/scoreUnit").asText(), true);
            }
        }
    }
}
