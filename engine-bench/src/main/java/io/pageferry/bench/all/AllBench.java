package io.pageferry.bench.all;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.BenchProcess;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Runs every benchmark once, one after the other, each as a process of its own, and writes what
 * they show: a file of tables, and for each its JSON and its chart. So that no figure of a day's
 * tables is of another commit than its neighbours.
 *
 * <p>One that fails has a line with the reason in the tables, and the others go on.
 */
public final class AllBench extends Bench {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double NANOS = 1e9;

    /** Made by the service loader. */
    public AllBench() {
    }

    @Override
    public String name() {
        return "all";
    }

    @Override
    public String about() {
        return "[--out DIR] [--runs 7] [--only NAME,…] [--kernel FILE] [--beside DIR]: every"
                + " benchmark once, with tables and charts into a new folder; hours";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        List<List<String>> suite = chosen(options);
        Path out = Path.of(options.text("out", "bench-" + LocalDate.now()));
        if (Files.exists(out)) {
            throw new IllegalArgumentException("--out " + out + " is there already: name a new"
                    + " folder");
        }
        Files.createDirectories(out);
        Path checkout = checkout();
        Tables tables = new Tables(commit(checkout));
        Rows rows = new Rows(name(), 0);
        for (int i = 0; i < suite.size(); i++) {
            List<String> arguments = suite.get(i);
            String words = String.join(" ", arguments);
            output.note(words + " …");
            String file = String.format("%02d-%s", i + 1, arguments.getFirst());
            long begun = System.nanoTime();
            try {
                ObjectNode result = BenchProcess.result(command(checkout, arguments,
                        out.resolve(file + ".svg")));
                JSON.writerWithDefaultPrettyPrinter()
                        .writeValue(out.resolve(file + ".json").toFile(), result);
                tables.add(words, result);
                rows.add(words, seconds(begun), "s", isGood(result));
            } catch (IOException e) {
                tables.failed(words, e.getMessage());
                rows.note(words, "FAIL", e.getMessage());
            }
            // After each: a run of hours that is cut off has shown what it has.
            Files.writeString(out.resolve("tables.md"), tables.text());
        }
        return rows.result();
    }

    private static Sample seconds(long begun) {
        return new Sample(new double[] {(System.nanoTime() - begun) / NANOS});
    }

    private static boolean isGood(ObjectNode result) {
        for (JsonNode row : result.path("rows")) {
            if (!row.path("verdict").asText().equals("OK")) {
                return false;
            }
        }
        return true;
    }

    private static List<String> command(Path checkout, List<String> arguments, Path chart) {
        return Stream.of(List.of(checkout.resolve("pageferry").toString(), "bench"), arguments,
                List.of("--chart", chart.toAbsolutePath().toString(), "--json"))
                .flatMap(List::stream).toList();
    }

    private static String commit(Path checkout) {
        try {
            return BenchProcess.run(List.of("git", "-C", checkout.toString(), "describe",
                    "--always", "--dirty")).getFirst();
        } catch (IOException e) {
            return "no checkout of git";
        }
    }

    private static List<List<String>> chosen(Options options) {
        List<List<String>> all = suite(options);
        String only = options.text("only", null);
        if (only == null) {
            return all;
        }
        Set<String> names = Set.of(only.split(","));
        List<List<String>> chosen =
                all.stream().filter(one -> names.contains(one.getFirst())).toList();
        names.stream().filter(name -> all.stream().noneMatch(one -> one.getFirst().equals(name)))
                .forEach(name -> {
                    throw new IllegalArgumentException("--only " + name + ": no such benchmark");
                });
        return chosen;
    }

    /** What is run, in the order of the tables: the yardsticks first. */
    private static List<List<String>> suite(Options options) {
        String runs = Integer.toString(options.count("runs", 7, 1));
        List<List<String>> suite = new ArrayList<>();
        suite.add(List.of("raw", "--runs", runs, "--fresh", runs));
        suite.add(with(options, "beside", List.of("start", "--runs", runs)));
        for (String more : List.of("", "--ram private", "--memory 4GiB",
                "--link 1Gbit/s --peers ours,plain,zstd --memory 1536MiB --working-set 1GiB"
                        + " --dirty-rate 8MiB/s",
                "--link 1Gbit/s --peers ours,xbzrle,auto-converge --dirty-rate 250MiB/s")) {
            List<String> one = new ArrayList<>(List.of("qemu", "--moves", runs));
            Stream.of(more.split(" ")).filter(word -> !word.isEmpty()).forEach(one::add);
            suite.add(with(options, "kernel", one));
        }
        suite.add(with(options, "kernel", List.of("downtime", "--moves", runs)));
        for (String channels : List.of("1", "2")) {
            suite.add(List.of("moves", "--memory", "512MiB", "--contents", "text,random",
                    "--codecs", "zstd,none", "--channels", channels, "--runs", runs));
        }
        suite.add(List.of("codecs"));
        suite.add(List.of("links", "--runs", runs));
        suite.add(List.of("tls", "--runs", runs));
        suite.add(List.of("hostile"));
        suite.add(List.of("stalled"));
        suite.add(List.of("transports"));
        suite.add(List.of("jmh"));
        return suite;
    }

    private static List<String> with(Options options, String name, List<String> words) {
        String value = options.text(name, null);
        return value == null ? words
                : Stream.concat(words.stream(), Stream.of("--" + name, value)).toList();
    }
}
