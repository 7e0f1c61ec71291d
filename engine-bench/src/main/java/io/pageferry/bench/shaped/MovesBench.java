package io.pageferry.bench.shaped;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.bench.move.Content;
import io.pageferry.bench.move.LoopbackCertificate;
import io.pageferry.bench.move.MoveRig;
import io.pageferry.bench.move.ResidentMemory;
import io.pageferry.core.codec.CodecChoice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Whole migrations in one process, over the loopback interface as it is: by codec and content,
 * codecs in turn. Alone it measures this host; {@code codecs} and {@code links} run it where the
 * loopback interface has a rate.
 */
public final class MovesBench extends Bench {
    private static final long SEED = 13;

    /** Made by the service loader. */
    public MovesBench() {
    }

    /** How to move. */
    private record Way(CodecChoice codec, int channels, boolean tls) { }

    @Override
    public String name() {
        return "moves";
    }

    @Override
    public String about() {
        return "[--memory 256MiB] [--contents random,zero,mixed,text]"
                + " [--codecs adaptive,none,lz4,zstd] [--channels 1] [--tls no]"
                + " [--runs 3] [--warm-ups 2]: whole migrations in one"
                + " process, lists in turn";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        long bytes = options.bytes("memory", "256MiB");
        int runs = options.count("runs", 3, 1);
        int warmUps = options.count("warm-ups", 2, 0);
        List<Way> ways = ways(options);
        Rows rows = new Rows(name(), SEED);
        try (ResidentMemory from = new ResidentMemory("pageferry-bench-source", bytes);
                ResidentMemory to = new ResidentMemory("pageferry-bench-target", bytes);
                MoveRig plain = new MoveRig(from, to);
                LoopbackCertificate certificate = new LoopbackCertificate();
                MoveRig encrypted = new MoveRig(from, to, Optional.of(certificate.options()))) {
            for (String content : options.list("contents", "random,zero,mixed,text")) {
                from.fill(Content.valueOf(content.toUpperCase(Locale.ROOT)), SEED);
                Map<Way, List<MoveRig.Move>> moves = new LinkedHashMap<>();
                for (int run = -warmUps; run < runs; run++) {
                    for (Way way : ways) {
                        to.scribble();
                        MoveRig.Move move = (way.tls() ? encrypted : plain)
                                .move(way.codec(), 0, way.channels());
                        if (run >= 0) {
                            moves.computeIfAbsent(way, w -> new ArrayList<>())
                                    .add(checked(move, from, to));
                        }
                    }
                }
                moves.forEach((way, list) -> add(rows, content, way, list));
            }
        } catch (LinuxException e) {
            throw new IOException("two times " + bytes + " bytes are needed: "
                    + e.getMessage(), e);
        }
        return rows.result();
    }

    private static List<Way> ways(Options options) {
        List<Way> ways = new ArrayList<>();
        for (String channels : options.list("channels", "1")) {
            for (String codec : options.list("codecs", "adaptive,none,lz4,zstd")) {
                for (String tls : options.list("tls", "no")) {
                    ways.add(new Way(CodecChoice.valueOf(codec.toUpperCase(Locale.ROOT)),
                            Integer.parseInt(channels), tls.equals("yes")));
                }
            }
        }
        return ways;
    }

    private static MoveRig.Move checked(MoveRig.Move move, ResidentMemory from,
            ResidentMemory to) {
        return move.problem() != null || from.equalTo(to) ? move
                : new MoveRig.Move(move.totalNanos(), move.downtimeNanos(), move.wireBytes(),
                        "the image differs");
    }

    private static void add(Rows rows, String content, Way way, List<MoveRig.Move> moves) {
        boolean good = moves.stream().allMatch(move -> move.problem() == null);
        String codec = way.codec().label();
        rows.add(content + ", " + codec + (way.channels() == 1 ? ""
                        : ", " + way.channels() + " channels") + (way.tls() ? ", TLS" : ""),
                new Sample(moves.stream().mapToDouble(move -> move.totalNanos() / 1e6).toArray()),
                "ms", good)
                .put("content", content).put("codec", codec).put("channels", way.channels())
                .put("tls", way.tls()).put("wireBytes", moves.getLast().wireBytes());
    }
}
