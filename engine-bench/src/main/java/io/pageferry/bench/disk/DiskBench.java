package io.pageferry.bench.disk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Folders;
import io.pageferry.bench.Options;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import io.pageferry.bench.move.FreshPair;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A disk of which half is used, from loop device to loop device over loopback: by a fresh pair of
 * commands, and by other programs, in turn. Each copy is compared, and one that differs is none.
 */
public final class DiskBench extends Bench {
    private static final double MIB = 1 << 20;
    private static final long SEED = 20_261_130;

    /** What is asked of ours. */
    private static final Map<DiskPeer, Double> BARS = Map.of(DiskPeer.NBDCOPY, 0.9,
            DiskPeer.DD, 1.5);

    private final List<Double> ours = new ArrayList<>();
    private final Map<DiskPeer, List<Double>> peers = new EnumMap<>(DiskPeer.class);
    private final Map<DiskPeer, String> failed = new EnumMap<>(DiskPeer.class);
    private String problem;

    /** Made by the service loader. */
    public DiskBench() {
    }

    @Override
    public String name() {
        return "disk";
    }

    @Override
    public String about() {
        return "[--size 4GiB] [--runs 3] [--folder /dev/shm]: a half-used disk over loopback, ours"
                + " against nbdcopy and dd | zstd -1 | nc";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        long size = options.bytes("size", "4GiB");
        Path parent = Path.of(options.text("folder", "/dev/shm"));
        Path folder = Folders.temporary();
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> end(folder)));
        try (LoopDisk source = new LoopDisk(parent, size);
                LoopDisk target = new LoopDisk(parent, size)) {
            source.fillHalf(SEED);
            for (int run = 1; run <= options.count("runs", 3, 1); run++) {
                turn(source, target, folder, size);
                output.human(String.format(Locale.ROOT, "run %d: ours %s, %s MiB/s", run,
                        ours, peers));
            }
        } finally {
            Folders.delete(folder);
        }
        return rows();
    }

    /** What a signal would leave: the disks go by themselves, with the last of these processes. */
    private static void end(Path folder) {
        ProcessHandle.current().descendants().forEach(ProcessHandle::destroy);
        try {
            Folders.delete(folder);
        } catch (IOException e) {
            // An agent that is ending may write there still.
            return;
        }
    }

    private void turn(LoopDisk source, LoopDisk target, Path folder, long size)
            throws IOException {
        target.empty();
        JsonNode report = FreshPair.move("disk:" + source.device(), "disk:" + target.device(),
                folder, List.of());
        String wrong = FreshPair.isGood(report) ? target.differsFrom(source)
                : report.path("result").asText() + " " + report.at("/error/reason").asText();
        problem = problem == null ? wrong : problem;
        ours.add(size / MIB * 1000 / report.path("totalMs").asDouble());
        for (DiskPeer peer : DiskPeer.values()) {
            if (peer.missing() == null && !failed.containsKey(peer)) {
                target.empty();
                copy(peer, source, target, size);
            }
        }
    }

    private void copy(DiskPeer peer, LoopDisk source, LoopDisk target, long size) {
        try {
            long nanos = peer.copy(source.device(), target.device());
            String wrong = target.differsFrom(source);
            if (wrong != null) {
                throw new IOException(wrong);
            }
            peers.computeIfAbsent(peer, any -> new ArrayList<>()).add(size / MIB * 1e9 / nanos);
        } catch (IOException e) {
            failed.put(peer, e.getMessage());
        }
    }

    private ObjectNode rows() {
        Rows rows = new Rows(name(), SEED);
        boolean good = problem == null;
        if (!good) {
            rows.note("what went wrong", "FAIL", problem);
        }
        for (DiskPeer peer : DiskPeer.values()) {
            String row = "ours, a fresh pair of commands, beside " + peer.title();
            if (peer.missing() != null) {
                rows.note(peer.title(), "OK", peer.missing() + " is not installed here, so nothing"
                        + " to compare with");
            } else if (failed.containsKey(peer)) {
                rows.note(peer.title(), "FAIL", failed.get(peer));
            } else {
                Sample theirs = sample(peers.get(peer));
                rows.reference(peer.title(), theirs, "MiB/s", true);
                rows.add(row, sample(ours), "MiB/s", new Rows.Against(peer.title(),
                        theirs.median(), BARS.get(peer)), good);
            }
        }
        rows.add("ours", sample(ours), "MiB/s", good);
        return rows.result();
    }

    private static Sample sample(List<Double> values) {
        return new Sample(values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
