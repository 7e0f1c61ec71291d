package io.pageferry.bench.qemu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.report.Output;
import io.pageferry.bench.Bench;
import io.pageferry.bench.Folders;
import io.pageferry.bench.Options;
import io.pageferry.core.words.Quantity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Ours against QEMU's own migration of the same guest, in turn: total time and downtime as each
 * reports them, the gap as the guest's console shows it, and whether the guest lives afterwards.
 */
public final class QemuBench extends Bench {
    /** Made by the service loader. */
    public QemuBench() {
    }

    @Override
    public String name() {
        return "qemu";
    }

    @Override
    public String about() {
        return "[--moves 3] [--memory 768MiB] [--working-set 128MiB] [--dirty-rate 16MiB/s]"
                + " [--kernel FILE] [--ram file|private]"
                + " [--peers ours,agents,plain,multifd2,multifd4,zstd,xbzrle,"
                + "auto-converge]: ours against QEMU's own migration of the same guest";
    }

    @Override
    protected ObjectNode measure(Options options, Output output) throws IOException {
        int moves = options.count("moves", 3, 1);
        List<Peer> peers = Peer.of(options.text("peers", null));
        DemoMachine machine = DowntimeBench.machine(options, GuestLoad.of(
                options.bytes("working-set", "128MiB"),
                Quantity.bytesPerSecond(options.text("dirty-rate", "16MiB/s")), false),
                ram(options.text("ram", "file")));
        Path folder = Folders.temporary();
        Map<Peer, String> missing = new EnumMap<>(Peer.class);
        List<Moved> done = new ArrayList<>();
        try (SavedGuest guest = SavedGuest.boot(machine, folder);
                Ours ours = new Ours(folder)) {
            for (int i = 1; i <= moves; i++) {
                for (Peer peer : peers) {
                    if (!missing.containsKey(peer)) {
                        one(guest, peer, ours, missing).ifPresent(moved -> {
                            done.add(moved);
                            output.human(words(moved));
                        });
                    }
                }
            }
        } finally {
            Folders.delete(folder);
        }
        return QemuRows.of(peers, missing, done);
    }

    /** Private RAM is a private copy of a file: so a copy of the guest can be put into it. */
    private static DemoMachine.Memory ram(String word) {
        return switch (word) {
            case "file" -> DemoMachine.Memory.FILE;
            case "private" -> DemoMachine.Memory.PRIVATE_FILE;
            default -> throw new IllegalArgumentException("--ram " + word
                    + ": file or private is needed");
        };
    }

    /** Nothing where this QEMU has not that peer, which is noted. */
    private static Optional<Moved> one(SavedGuest guest, Peer peer, Ours ours,
            Map<Peer, String> missing) throws IOException {
        try (DemoQemu from = guest.running("from"); DemoQemu to = guest.waiting("to");
                ObservedMove observed = new ObservedMove(from, to)) {
            String objection = peer.isOurs() ? null : OwnMove.objection(to, peer);
            if (objection != null) {
                missing.put(peer, objection);
                return Optional.empty();
            }
            observed.calm();
            return Optional.of(peer.isOurs()
                    ? ours.move(from, to, observed, peer)
                    : theirs(from, to, observed, peer));
        }
    }

    private static Moved theirs(DemoQemu from, DemoQemu to, ObservedMove observed, Peer peer)
            throws IOException {
        OwnMove.Told told;
        try {
            told = OwnMove.move(from, to, peer);
        } catch (IOException e) {
            return Moved.failed(peer, e.getMessage());
        }
        return new Moved(peer, told.totalMillis(), told.downtimeMillis(), 0,
                told.wireBytes(), observed.seen(), null);
    }

    private static String words(Moved moved) {
        if (!moved.completed()) {
            return moved.peer().title() + ": FAILED: " + moved.problem();
        }
        return String.format(Locale.ROOT, "%s: %.0f ms, downtime %.0f ms, %s",
                moved.peer().title(), moved.totalMillis(), moved.downtimeMillis(),
                moved.alive() ? String.format(Locale.ROOT, "gap %.1f ms",
                        moved.seen().gapMillis()) : "broken: " + moved.trouble());
    }
}
