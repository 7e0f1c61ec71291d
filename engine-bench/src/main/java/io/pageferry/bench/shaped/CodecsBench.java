package io.pageferry.bench.shaped;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.bench.Shaped;
import io.pageferry.core.words.Quantity;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Is the adaptive codec ever slower than the best of none, LZ4 and zstd, by more than a tenth? */
public final class CodecsBench extends Bench {
    private static final double AT_LEAST = 1 / 1.1;
    private static final String LOOPBACK = "loopback";

    /** Mebibytes to move; the slow ones move less, to take as long. */
    private static final Map<String, Integer> LINKS = links();

    /** Made by the service loader. */
    public CodecsBench() {
    }

    private static Map<String, Integer> links() {
        Map<String, Integer> links = new LinkedHashMap<>();
        links.put(LOOPBACK, 512);
        links.put("1Gbit/s", 128);
        links.put("100Mbit/s", 24);
        return links;
    }

    @Override
    public String name() {
        return "codecs";
    }

    @Override
    public String about() {
        return "[--links loopback,1Gbit/s,100Mbit/s] [--runs 2]: random, zero, mixed and text over"
                + " each of these, by adaptive, none, lz4 and zstd";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        String runs = Integer.toString(options.count("runs", 2, 1));
        Rows rows = new Rows(name(), 0);
        for (String link : wanted(options.text("links", null))) {
            output.note(link + " …");
            long rate = link.equals(LOOPBACK) ? 0 : Quantity.bytesPerSecond(link) * Byte.SIZE;
            Map<String, Map<String, JsonNode>> found = new LinkedHashMap<>();
            for (JsonNode row : Shaped.rows(rate, List.of("moves", "--memory",
                    LINKS.get(link) + "MiB", "--runs", runs, "--warm-ups", "1"))) {
                found.computeIfAbsent(row.path("content").asText(), c -> new LinkedHashMap<>())
                        .put(row.path("codec").asText(), row);
            }
            found.forEach((content, codecs) -> add(rows, link + ", " + content, codecs));
        }
        return rows.result();
    }

    private static List<String> wanted(String words) {
        if (words == null) {
            return List.copyOf(LINKS.keySet());
        }
        List<String> wanted = List.of(words.split(","));
        if (!LINKS.keySet().containsAll(wanted)) {
            throw new IllegalArgumentException("--links " + words + ": of "
                    + String.join(",", LINKS.keySet()));
        }
        return wanted;
    }

    private static void add(Rows rows, String what, Map<String, JsonNode> codecs) {
        boolean good = codecs.values().stream()
                .allMatch(row -> row.path("verdict").asText().equals("OK"));
        double none = codecs.get("none").path("value").asDouble();
        double lz4 = codecs.get("lz4").path("value").asDouble();
        double zstd = codecs.get("zstd").path("value").asDouble();
        rows.add(what + ", none", new Sample(none), "ms", good);
        rows.add(what + ", lz4", new Sample(lz4), "ms", good);
        rows.add(what + ", zstd", new Sample(zstd), "ms", good);
        JsonNode adaptive = codecs.get("adaptive");
        ObjectNode row = rows.add(what + ", adaptive",
                new Sample(adaptive.path("value").asDouble()), "ms", good);
        double ratio = Math.min(none, Math.min(lz4, zstd)) / adaptive.path("value").asDouble();
        if (good) {
            row.put("spread", adaptive.path("spread").asText())
                    .put("ratio", Math.round(ratio * 1000) / 1000.0)
                    .put("against", "speed of the best of the three")
                    .put("verdict", ratio >= AT_LEAST ? "OK" : "FAIL");
        }
    }
}
