package io.pageferry.bench.disk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.AgentProcess;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.BenchProcess;
import io.pageferry.bench.Folders;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.bench.move.FreshPair;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A disk of which half is used, from format to format: by {@code convert} and by qemu-img, in turn.
 * Each copy of ours is compared, and one that differs is none.
 */
public final class ConvertBench extends Bench {
    private static final double MIB = 1 << 20;
    private static final long SEED = 20_261_130;
    private static final String RAW = "raw";

    /** What is asked of ours, start of the JVM and proof included. */
    private static final double BAR = 0.9;

    /** How fast both were with one pair of formats, in MiB of the disk a second. */
    private static final class Pair {
        private final String from;
        private final String to;
        private final List<Double> ours = new ArrayList<>();
        private final List<Double> copying = new ArrayList<>();
        private final List<Double> theirs = new ArrayList<>();
        private String problem;

        Pair(String from, String to) {
            this.from = from;
            this.to = to;
        }
    }

    /** Made by the service loader. */
    public ConvertBench() {
    }

    @Override
    public String name() {
        return "convert";
    }

    @Override
    public String about() {
        return "[--size 2GiB] [--runs 5] [--pairs raw:qcow2,qcow2:raw,…] [--folder /dev/shm]:"
                + " convert of a half-used disk, ours against qemu-img";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        long size = options.bytes("size", "2GiB");
        Map<String, Pair> pairs = new LinkedHashMap<>();
        for (String text : options.list("pairs", "raw:qcow2,qcow2:raw,qcow2:vmdk,vmdk:qcow2,"
                + "vhdx:raw,vdi:qcow2")) {
            String[] formats = text.split(":");
            if (formats.length != 2) {
                throw new IllegalArgumentException("--pairs " + text + ": write FROM:TO");
            }
            pairs.put(text, new Pair(formats[0], formats[1]));
        }
        Path folder = Files.createTempDirectory(Path.of(options.text("folder", "/dev/shm")),
                "pageferry-bench");
        Thread hook = Thread.ofPlatform().unstarted(() -> end(folder));
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            Path raw = raw(folder, size);
            for (Pair pair : pairs.values()) {
                measure(pair, raw, options.count("runs", 5, 1), size);
                output.human(String.format(Locale.ROOT, "%s to %s: ours %s, qemu-img %s MiB/s%s",
                        pair.from, pair.to, pair.ours, pair.theirs,
                        pair.problem == null ? "" : ", " + pair.problem));
            }
        } finally {
            Folders.delete(folder);
        }
        return rows(pairs.values());
    }

    /** What a signal would leave. */
    private static void end(Path folder) {
        ProcessHandle.current().descendants().forEach(ProcessHandle::destroy);
        try {
            Folders.delete(folder);
        } catch (IOException e) {
            // One that is ending may write there still.
            return;
        }
    }

    private static Path raw(Path folder, long size) throws IOException {
        Path raw = folder.resolve("raw");
        try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
            file.setLength(size);
            HalfDisk.fill(file, size, SEED);
        }
        return raw;
    }

    private static void measure(Pair pair, Path raw, int runs, long size) throws IOException {
        Path source = raw;
        if (!pair.from.equals(RAW)) {
            source = raw.resolveSibling("source");
            qemuImg(RAW, raw, pair.from, source);
        }
        Path target = raw.resolveSibling("target");
        for (int run = 0; run < runs; run++) {
            long start = System.nanoTime();
            JsonNode report = convert(pair, source, target);
            long nanos = System.nanoTime() - start;
            String wrong = FreshPair.isGood(report) ? differs(pair, source, target)
                    : report.at("/error/reason").asText("no report");
            pair.problem = pair.problem == null ? wrong : pair.problem;
            pair.ours.add(size / MIB * 1e9 / nanos);
            pair.copying.add(size / MIB * 1000 / report.path("totalMs").asDouble(1));
            Files.deleteIfExists(target);
            start = System.nanoTime();
            qemuImg(pair.from, source, pair.to, target);
            pair.theirs.add(size / MIB * 1e9 / (System.nanoTime() - start));
            Files.delete(target);
        }
        if (source != raw) {
            Files.delete(source);
        }
    }

    private static JsonNode convert(Pair pair, Path source, Path target) throws IOException {
        Path folder = target.getParent();
        try (AgentProcess ours = AgentProcess.start(List.of(), List.of("convert", source
                + "?format=" + pair.from, target.toString(), "--format", pair.to, "--json",
                "--progress", "none", "--state-dir", folder.resolve("state").toString()),
                folder.resolve("words"))) {
            JsonNode report = ours.await("report", event -> { });
            ours.exitCode();
            if (report == null) {
                throw new IOException("convert ended without a report: " + ours.words());
            }
            return report;
        }
    }

    private static void qemuImg(String from, Path source, String to, Path target)
            throws IOException {
        BenchProcess.run(List.of("qemu-img", "convert", "-f", from, "-O", to, source.toString(),
                target.toString()));
    }

    /** Returns what differs, or null. */
    private static String differs(Pair pair, Path source, Path target) {
        try {
            BenchProcess.run(List.of("qemu-img", "compare", "-q", "-f", pair.from, "-F", pair.to,
                    source.toString(), target.toString()));
            return null;
        } catch (IOException e) {
            return "the copy differs: " + e.getMessage();
        }
    }

    private ObjectNode rows(Iterable<Pair> pairs) {
        Rows rows = new Rows(name(), SEED);
        for (Pair pair : pairs) {
            String what = pair.from + " to " + pair.to;
            String peer = "qemu-img convert, " + what;
            boolean good = pair.problem == null;
            if (!good) {
                rows.note(what, "FAIL", pair.problem);
            }
            Sample theirs = sample(pair.theirs);
            rows.reference(peer, theirs, "MiB/s", true);
            rows.add("ours, " + what, sample(pair.ours), "MiB/s",
                    new Rows.Against(peer, theirs.median(), BAR), good);
            rows.add("ours, " + what + ", without its start", sample(pair.copying), "MiB/s", good);
        }
        return rows.result();
    }

    private static Sample sample(List<Double> values) {
        return new Sample(values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
