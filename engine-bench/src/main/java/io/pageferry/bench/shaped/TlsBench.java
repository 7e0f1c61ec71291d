package io.pageferry.bench.shaped;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.bench.Shaped;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** What TLS costs: the same move with and without, in turn, of memory that nothing compresses. */
public final class TlsBench extends Bench {
    private static final long GBIT = 1_000_000_000L;
    private static final String LOOPBACK = "loopback";
    private static final Map<String, Double> AT_LEAST = Map.of(LOOPBACK, 0.5, "1Gbit/s", 0.97);

    /** Made by the service loader. */
    public TlsBench() {
    }

    @Override
    public String name() {
        return "tls";
    }

    @Override
    public String about() {
        return "[--memory 512MiB] [--runs 5]: goodput with TLS and without, over loopback where two"
                + " cores do both ends, and over 1 Gbit/s (tc tbf in a network namespace; root)";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        String memory = options.bytes("memory", "512MiB") + "B";
        String runs = Integer.toString(options.count("runs", 5, 1));
        Rows rows = new Rows(name(), 0);
        for (String link : List.of(LOOPBACK, "1Gbit/s")) {
            output.note(link + " …");
            List<JsonNode> both = Shaped.rows(link.equals(LOOPBACK) ? 0 : GBIT, List.of("moves",
                    "--memory", memory, "--contents", "random", "--codecs", "none", "--tls",
                    "no,yes", "--runs", runs, "--warm-ups", "2"));
            add(rows, link, both.getFirst(), both.getLast());
        }
        return rows.result();
    }

    private static void add(Rows rows, String link, JsonNode plain, JsonNode tls) {
        boolean good = plain.path("verdict").asText().equals("OK")
                && tls.path("verdict").asText().equals("OK");
        rows.add(link + ", without TLS", new Sample(plain.path("value").asDouble()), "ms", good)
                .put("spread", plain.path("spread").asText());
        ObjectNode row = rows.add(link + ", with TLS", new Sample(tls.path("value").asDouble()),
                "ms", good).put("spread", tls.path("spread").asText());
        double ratio = plain.path("value").asDouble() / tls.path("value").asDouble();
        if (good) {
            row.put("ratio", Math.round(ratio * 1000) / 1000.0)
                    .put("against", "goodput without")
                    .put("verdict", ratio >= AT_LEAST.get(link) ? "OK" : "FAIL");
        }
    }
}
