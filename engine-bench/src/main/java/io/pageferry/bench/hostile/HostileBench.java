package io.pageferry.bench.hostile;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Folders;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.bench.move.FreshPair;
import io.pageferry.bench.move.LoopbackCertificate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A move by the two commands with TLS, alone and beside thousands of connections that prove
 * nothing, in turn. Who makes those takes processor time of the same machine.
 */
public final class HostileBench extends Bench {
    private static final double AT_MOST = 1.5;
    private static final long MIB = 1 << 20;

    private final List<Double> alone = new ArrayList<>();
    private final List<Double> beside = new ArrayList<>();
    private final List<Double> aloneBytes = new ArrayList<>();
    private final List<Double> besideBytes = new ArrayList<>();
    private final List<Double> made = new ArrayList<>();
    private String problem;

    /** Made by the service loader. */
    public HostileBench() {
    }

    @Override
    public String name() {
        return "hostile";
    }

    @Override
    public String about() {
        return "[--memory 6GiB] [--runs 3] [--connections 10000]: a move with TLS alone, and beside"
                + " so many connections that are silent, slow, half-closed, garbage, or stall in"
                + " their handshake";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        String uri = "workload:" + options.bytes("memory", "6GiB") + "B";
        int connections = options.count("connections", 10_000, 1);
        int runs = options.count("runs", 3, 1);
        Path folder = Folders.temporary();
        try (LoopbackCertificate certificate = new LoopbackCertificate()) {
            Moves moves = new Moves(uri, certificate.words(), folder);
            for (int run = 1; run <= runs; run++) {
                Moved without = moves.move(0, 1);
                alone.add(without.totalMs());
                aloneBytes.add(without.peakBytes() / (double) MIB);
                Moved with = moves.move(connections, (long) (without.totalMs() * 1e6));
                beside.add(with.totalMs());
                besideBytes.add(with.peakBytes() / (double) MIB);
                made.add((double) with.made());
                output.human(String.format(Locale.ROOT, "run %2d: alone %.0f ms, beside %d"
                        + " connections %.0f ms", run, without.totalMs(), with.made(),
                        with.totalMs()));
            }
        } finally {
            Folders.delete(folder);
        }
        return result(connections);
    }

    /** What one move showed. */
    private record Moved(double totalMs, int made, long peakBytes) { }

    /** How each move is made. */
    private final class Moves {
        private final String uri;
        private final List<String> tls;
        private final Path folder;

        Moves(String uri, List<String> tls, Path folder) {
            this.uri = uri;
            this.tls = tls;
            this.folder = folder;
        }

        Moved move(int connections, long nanos) throws IOException {
            Strangers[] strangers = new Strangers[1];
            List<String> migrate = new ArrayList<>(List.of("--codec", "none"));
            migrate.addAll(tls);
            JsonNode report;
            try {
                report = FreshPair.move(new FreshPair.Ends(uri + "?rate=16MiB/s&fill=random", uri,
                        tls), folder, migrate, (address, pid) ->
                        strangers[0] = new Strangers(address, pid, connections, nanos));
            } finally {
                if (strangers[0] != null) {
                    strangers[0].close();
                }
            }
            if (!FreshPair.isGood(report) && problem == null) {
                problem = report.path("result").asText() + ": "
                        + report.at("/error/reason").asText();
            }
            return new Moved(report.path("totalMs").asDouble(), strangers[0].made(),
                    strangers[0].peakBytes());
        }
    }

    private ObjectNode result(int connections) {
        Rows rows = new Rows(name(), 0);
        boolean good = problem == null;
        if (!good) {
            rows.note("what went wrong", "FAIL", problem);
        }
        rows.add("total time alone", sample(alone), "ms", good);
        ObjectNode row = rows.add("total time beside them", sample(beside), "ms", good);
        if (good) {
            double ratio = sample(beside).median() / sample(alone).median();
            row.put("ratio", Math.round(ratio * 1000) / 1000.0).put("against", "alone")
                    .put("verdict", ratio <= AT_MOST ? "OK" : "FAIL");
        }
        rows.add("connections made by its end", sample(made), "",
                good && sample(made).low() >= connections * 0.9);
        rows.add("the target's anonymous memory, most, alone", sample(aloneBytes), "MiB", good);
        rows.add("the same beside them", sample(besideBytes), "MiB", good);
        return rows.result();
    }

    private static Sample sample(List<Double> values) {
        return new Sample(values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
