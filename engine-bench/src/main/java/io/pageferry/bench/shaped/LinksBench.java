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
import java.util.Locale;

/** Incompressible memory over links of 1 and 10 Gbit/s, beside the time that the wire needs. */
public final class LinksBench extends Bench {
    private static final long GBIT = 1_000_000_000L;

    /** Made by the service loader. */
    public LinksBench() {
    }

    @Override
    public String name() {
        return "links";
    }

    @Override
    public String about() {
        return "[--memory 512MiB] [--runs 3]: incompressible memory over 1 and 10 Gbit/s (tc tbf"
                + " in a network namespace of its own; root)";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        String memory = options.bytes("memory", "512MiB") + "B";
        String runs = Integer.toString(options.count("runs", 3, 1));
        Rows rows = new Rows(name(), 0);
        for (long gbits : List.of(1L, 10L)) {
            JsonNode row = Shaped.rows(gbits * GBIT, List.of("moves", "--memory", memory,
                    "--contents", "random", "--codecs", "adaptive", "--runs", runs,
                    "--warm-ups", "2")).getFirst();
            boolean good = row.path("verdict").asText().equals("OK");
            double floor = row.path("wireBytes").asDouble() * 8 / (gbits * GBIT) * 1000;
            String link = String.format(Locale.ROOT, "%d Gbit/s, ", gbits);
            rows.reference(link + "floor: wire bytes ÷ rate", new Sample(floor), "ms", good);
            ObjectNode ours = rows.add(link + "ours", new Sample(row.path("value").asDouble()),
                    "ms", good);
            if (good) {
                ours.put("spread", row.path("spread").asText())
                        .put("ratio", Math.round(row.path("value").asDouble() / floor * 1000)
                                / 1000.0)
                        .put("against", "the floor");
            }
        }
        return rows.result();
    }
}
