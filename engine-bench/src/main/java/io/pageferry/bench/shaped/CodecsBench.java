package io.pageferry.bench.shaped;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.bench.Benchmark;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Chart;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Is the adaptive codec ever slower than the better of none and LZ4, by more than a tenth? */
public final class CodecsBench implements Benchmark {
    private static final double AT_LEAST = 1 / 1.1;

    /** By bits per second, 0 for loopback as it is; the slow ones move less, to take as long. */
    private static final Map<Long, String> LINKS = links();

    /** Made by the service loader. */
    public CodecsBench() {
    }

    private static Map<Long, String> links() {
        Map<Long, String> links = new LinkedHashMap<>();
        links.put(0L, "512MiB");
        links.put(1_000_000_000L, "128MiB");
        links.put(100_000_000L, "24MiB");
        return links;
    }

    @Override
    public String name() {
        return "codecs";
    }

    @Override
    public String about() {
        return "[--runs 2]: random, zero, mixed and text over 100 Mbit/s, 1 Gbit/s and loopback,"
                + " by adaptive, none and lz4";
    }

    @Override
    public ObjectNode run(Map<String, String> options, Output output) throws IOException {
        String runs = options.getOrDefault("runs", "2");
        Rows rows = new Rows(name(), 0);
        for (Map.Entry<Long, String> link : LINKS.entrySet()) {
            String where = link.getKey() == 0 ? "loopback"
                    : link.getKey() / 1_000_000 + " Mbit/s";
            output.note(where + " …");
            Map<String, Map<String, JsonNode>> found = new LinkedHashMap<>();
            for (JsonNode row : Shaped.rows(link.getKey(), List.of("moves", "--memory",
                    link.getValue(), "--runs", runs, "--warm-ups", "1"))) {
                found.computeIfAbsent(row.path("content").asText(), c -> new LinkedHashMap<>())
                        .put(row.path("codec").asText(), row);
            }
            found.forEach((content, codecs) -> add(rows, where + ", " + content, codecs));
        }
        return Chart.drawn(options, rows.result());
    }

    private static void add(Rows rows, String what, Map<String, JsonNode> codecs) {
        boolean good = codecs.values().stream()
                .allMatch(row -> row.path("verdict").asText().equals("OK"));
        double none = codecs.get("none").path("value").asDouble();
        double lz4 = codecs.get("lz4").path("value").asDouble();
        rows.add(what + ", none", new Sample(none), "ms", good);
        rows.add(what + ", lz4", new Sample(lz4), "ms", good);
        JsonNode adaptive = codecs.get("adaptive");
        ObjectNode row = rows.add(what + ", adaptive",
                new Sample(adaptive.path("value").asDouble()), "ms", good);
        double ratio = Math.min(none, lz4) / adaptive.path("value").asDouble();
        if (good) {
            row.put("spread", adaptive.path("spread").asText())
                    .put("ratio", Math.round(ratio * 1000) / 1000.0)
                    .put("against", "speed of the better of both")
                    .put("verdict", ratio >= AT_LEAST ? "OK" : "FAIL");
        }
    }
}
