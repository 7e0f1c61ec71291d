package io.pageferry.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.bench.Benches;
import io.pageferry.agent.report.Output;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two builds in turn, both scripts that print what they are told to have measured. */
class ComparisonTest {
    private static final String UNIT = "GiB/s";

    @TempDir
    Path folder;

    private final ByteArrayOutputStream words = new ByteArrayOutputStream();
    private final Output output = new Output(new PrintStream(words, true),
            new PrintStream(words, true), false);

    /** The bench of this build, whose checkout is a script too. */
    private final class Scripted extends Bench {
        @Override
        public String name() {
            return "scripted";
        }

        @Override
        public String about() {
            return "[--memory 1GiB]: of a test";
        }

        @Override
        protected ObjectNode measure(Options options, Output out) {
            throw new AssertionError("this build is measured by a process of its own, too");
        }

        @Override
        protected Path checkout() {
            return folder.resolve("ours");
        }
    }

    /** A build whose turns print these results, one after the other. */
    private Path build(String name, String... results) throws IOException {
        Path checkout = Files.createDirectories(folder.resolve(name));
        for (int i = 0; i < results.length; i++) {
            Files.writeString(checkout.resolve("result" + (i + 1)), results[i] + "\n");
        }
        return script(name, "n=$(grep -c \"^" + name + "\" \"$0/../../order\")\n"
                + "echo '{\"event\":\"log\"}'\ncat \"${0%/*}/result$n\"\nexit 4");
    }

    private Path script(String name, String body) throws IOException {
        Path checkout = Files.createDirectories(folder.resolve(name));
        Path launcher = checkout.resolve("pageferry");
        Files.writeString(launcher, "#!/bin/sh\necho \"" + name + " $*\" >>\""
                + folder.resolve("order") + "\"\n"
                + body.replace("$0/../../order", folder.resolve("order").toString()) + "\n");
        assertTrue(launcher.toFile().setExecutable(true));
        return checkout;
    }

    private static String result(String... rows) {
        return "{\"name\":\"scripted\",\"rows\":[" + String.join(",", rows) + "]}";
    }

    private static String row(String what, double value) {
        return String.format(Locale.ROOT, "{\"what\":\"%s\",\"value\":%s,\"unit\":\"%s\","
                + "\"spread\":\"0 … 9\",\"verdict\":\"OK\"}", what, value, UNIT);
    }

    private JsonNode compare(Path other, String turns) throws IOException {
        return new Scripted().run(Map.of("memory", "2GiB", "against", other.toString(),
                "turns", turns), output).path("rows");
    }

    @Test
    void bothBuildsAreMeasuredInTurnWithTheSameOptions() throws IOException {
        build("ours", result(row("rate", 3)), result(row("rate", 1)), result(row("rate", 2)));
        Path other = build("other", result(row("rate", 2.05)), result(row("rate", 2.5)),
                result(row("rate", 2.1)));
        JsonNode rows = compare(other, "3");
        String command = " bench scripted --memory 2GiB --json";
        assertEquals(List.of("ours" + command, "other" + command, "ours" + command,
                        "other" + command, "ours" + command, "other" + command),
                Files.readAllLines(folder.resolve("order")));
        assertEquals(1, rows.size(), rows::toString);
        JsonNode row = rows.get(0);
        assertEquals("rate", row.path("what").asText());
        assertEquals(2, row.path("value").asDouble());
        assertEquals("1.0 … 3.0", row.path("spread").asText());
        assertEquals(2.1, row.path("other").asDouble());
        assertEquals("2.05 … 2.5", row.path("otherSpread").asText());
        assertEquals(0.952, row.path("ratio").asDouble());
        assertEquals("2.1 (2.05 … 2.5) of " + other, row.path("against").asText());
        assertEquals("OK", row.path("verdict").asText());
        assertTrue(words.toString(StandardCharsets.UTF_8).contains("turn 3 of 3: this build"));
    }

    @Test
    void aSlowerRowFails() throws IOException {
        build("ours", result(row("rate", 1), row("other rate", 1)));
        JsonNode rows = compare(build("other", result(row("rate", 2), row("other rate", 0.5))),
                "1");
        assertEquals("FAIL", rows.get(0).path("verdict").asText(), rows::toString);
        assertEquals("OK", rows.get(1).path("verdict").asText(), rows::toString);
    }

    /** Values of three turns each: this build's, the other's. */
    @ParameterizedTest
    @CsvSource({
        "1 1 1, 1 1 1, GiB/s, true",
        "95 95 95, 100 100 100, GiB/s, true",
        "94 94 94, 100 100 100, GiB/s, false",
        "200 200 200, 100 100 100, GiB/s, true",
        "90 91 92, 92 100 101, GiB/s, true",
        "90 91 92, 93 100 101, GiB/s, false",
        "105 105 105, 100 100 100, ms, true",
        "106 106 106, 100 100 100, ms, false",
        "50 50 50, 100 100 100, ms, true",
        "110 120 130, 90 100 110, ms, true",
        "111 120 130, 90 100 110, ms, false",
        "94 94 94, 100 100 100, ops/ms, false",
        "94 94 94, 100 100 100, s/GiB, true",
        "106 106 106, 100 100 100, s/GiB, false",
        "106 106 106, 100 100 100, ns/op, false"})
    void aRowIsAsGoodWithinFivePercentOrWithSpreadsThatOverlap(String mine, String theirs,
            String unit, boolean good) {
        assertEquals(good, Comparison.isAsGood(sample(mine), sample(theirs), unit));
    }

    private static Sample sample(String values) {
        return new Sample(List.of(values.split(" ")).stream()
                .mapToDouble(Double::parseDouble).toArray());
    }

    @Test
    void aBuildThatFailsIsNoFigure() throws IOException {
        build("ours", result(row("rate", 1)), result(row("rate", 1)));
        Path other = script("other", "echo 'no kernel here' >&2\nexit 3");
        JsonNode rows = compare(other, "2");
        assertEquals(1, rows.size(), rows::toString);
        assertEquals(other.toString(), rows.get(0).path("what").asText());
        assertEquals("FAIL", rows.get(0).path("verdict").asText());
        assertTrue(rows.get(0).path("spread").asText().startsWith("exit code 3"), rows::toString);
        assertTrue(rows.get(0).path("spread").asText().endsWith("no kernel here"),
                rows::toString);
        assertFalse(rows.get(0).has("value"));
        assertEquals(2, Files.readAllLines(folder.resolve("order")).size(), "no further turn");
    }

    @Test
    void thisBuildFailsLikewise() throws IOException {
        script("ours", "exit 0");
        JsonNode rows = compare(build("other", result(row("rate", 1))), "1");
        assertEquals("this build", rows.get(0).path("what").asText());
        assertEquals("FAIL", rows.get(0).path("verdict").asText());
    }

    @Test
    void aRowThatFailedInOneTurnIsNoFigure() throws IOException {
        String failed = "{\"what\":\"rate\",\"spread\":\"the image differs\",\"verdict\":\"FAIL\"}";
        build("ours", result(row("rate", 1), row("time", 1)), result(row("rate", 1)));
        JsonNode rows = compare(build("other", result(failed, row("time", 1)),
                result(row("rate", 1))), "2");
        assertEquals("rate", rows.get(0).path("what").asText());
        assertEquals("FAIL", rows.get(0).path("verdict").asText());
        assertTrue(rows.get(0).path("spread").asText().endsWith(": the image differs"));
        assertFalse(rows.get(0).has("value"));
        assertEquals("OK", rows.get(1).path("verdict").asText());
    }

    @Test
    void aBarOfTheBenchItselfIsNotJudgedAndNeitherIsAReference() throws IOException {
        String missed = row("rate", 1).replace("\"OK\"", "\"FAIL\"");
        build("ours", result(missed,
                row("iperf3", 1).replace("\"verdict\"", "\"reference\":true,\"verdict\"")));
        JsonNode rows = compare(build("other", result(missed, row("iperf3", 9))), "1");
        assertEquals("OK", rows.get(0).path("verdict").asText(), rows::toString);
        assertEquals("OK", rows.get(1).path("verdict").asText(), rows::toString);
        assertTrue(rows.get(1).path("reference").asBoolean(), rows::toString);
    }

    @Test
    void aRowThatOnlyTheOtherBuildHasFails() throws IOException {
        build("ours", result(row("rate", 1), row("new", 1)));
        JsonNode rows = compare(build("other", result(row("rate", 1), row("gone", 1))), "1");
        assertEquals("OK", rows.get(0).path("verdict").asText(), rows::toString);
        assertEquals("new", rows.get(1).path("what").asText());
        assertEquals("OK", rows.get(1).path("verdict").asText(), rows::toString);
        assertEquals("gone", rows.get(2).path("what").asText());
        assertEquals("FAIL", rows.get(2).path("verdict").asText(), rows::toString);
    }

    @Test
    void nothingToCompareFails() throws IOException {
        build("ours", result(row("rate", 1)));
        String none = "{\"what\":\"iperf3\",\"spread\":\"not here\",\"verdict\":\"OK\"}";
        JsonNode rows = compare(build("other", result(none)), "1");
        assertEquals("FAIL", rows.get(rows.size() - 1).path("verdict").asText(), rows::toString);
    }

    @ParameterizedTest
    @CsvSource({"--agianst x, agianst", "--against /proc/none, no checkout",
        "--runs none, --runs none", "--runs 0, 1 or more"})
    void anOptionThatMakesNoSenseIsNamed(String options, String named) {
        assertEquals(2, Benches.run(List.of(("raw " + options).split(" ")), output));
        assertTrue(words.toString(StandardCharsets.UTF_8).contains(named), words::toString);
    }

    @Test
    void theListHasALineForEachBenchAndOneForWhatTheyShare() {
        assertEquals(0, Benches.run(List.of(), output));
        List<String> lines = words.toString(StandardCharsets.UTF_8).lines().toList();
        for (String name : List.of("raw", "downtime", "jmh")) {
            assertEquals(1, lines.stream().filter(line -> line.startsWith(name + "  ")).count());
        }
        assertTrue(lines.getLast().contains("--against DIR"), lines::toString);
    }
}
