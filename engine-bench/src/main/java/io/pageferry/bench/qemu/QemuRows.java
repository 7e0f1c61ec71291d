package io.pageferry.bench.qemu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.bench.Rows;
import io.pageferry.bench.Sample;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/**
 * Makes rows of moves. A peer whose guest died counts for its time only, and its row about the
 * guest fails; the gap is that of the moves whose guests live. A peer that failed has no figure.
 */
final class QemuRows {
    private static final double MIB = 1 << 20;

    private final List<Moved> moves;
    private final Rows rows = new Rows("qemu", 0);

    private QemuRows(List<Moved> moves) {
        this.moves = moves;
    }

    /**
     * Sums the moves up.
     *
     * @param peers   in the order of the rows
     * @param missing by peer that this QEMU does not have, QEMU's words
     * @param moves   of all the others, in any order
     * @return the result
     */
    static ObjectNode of(List<Peer> peers, Map<Peer, String> missing, List<Moved> moves) {
        QemuRows made = new QemuRows(moves);
        for (Peer peer : peers) {
            if (missing.containsKey(peer)) {
                made.rows.note(peer.title(), "OK", "not in this QEMU: " + missing.get(peer));
            }
        }
        List<Peer> measured = peers.stream().filter(peer -> !missing.containsKey(peer)).toList();
        for (Peer peer : measured) {
            made.add(peer, "total time", "ms", Moved::totalMillis, Moved::completed);
        }
        for (Peer peer : measured.stream().filter(Peer::isOurs).toList()) {
            made.add(peer, "before the first byte", "ms", Moved::startupMillis,
                    Moved::completed);
        }
        for (Peer peer : measured) {
            made.add(peer, "downtime as reported", "ms", Moved::downtimeMillis,
                    Moved::completed);
        }
        for (Peer peer : measured) {
            made.add(peer, "gap from outside", "ms", move -> move.seen().gapMillis(),
                    Moved::alive);
        }
        for (Peer peer : measured) {
            made.add(peer, "sent", "MiB", move -> move.wireBytes() / MIB, Moved::completed);
        }
        measured.forEach(made::guest);
        return made.rows.result();
    }

    private void add(Peer peer, String what, String unit, ToDoubleFunction<Moved> value,
            Predicate<Moved> counts) {
        String title = peer.title() + ", " + what;
        double[] values = values(peer, value, counts);
        if (values.length == 0 || of(peer).stream().anyMatch(move -> !move.completed())) {
            rows.note(title, "FAIL", of(peer).stream().filter(move -> !move.alive()).findFirst()
                    .map(Moved::trouble).orElse("no move"));
            return;
        }
        double[] ours = values(Peer.OURS, value, counts);
        ObjectNode row = peer == Peer.OURS || ours.length == 0
                ? rows.add(title, new Sample(values), unit, true)
                : rows.add(title, new Sample(values), unit,
                        new Rows.Against("ours", new Sample(ours).median(), 0), true);
        if (!peer.isOurs()) {
            row.put("reference", true);
        }
        row.put("moves", values.length).put("broken",
                of(peer).stream().filter(move -> !move.alive()).count());
    }

    private void guest(Peer peer) {
        List<Moved> all = of(peer);
        long alive = all.stream().filter(Moved::alive).count();
        String words = all.stream().filter(move -> !move.alive()).findFirst()
                .map(move -> "; " + move.trouble()).orElse("");
        rows.note(peer.title() + ", guest alive afterwards", alive == all.size() ? "OK" : "FAIL",
                alive + " of " + all.size() + words);
    }

    private List<Moved> of(Peer peer) {
        return moves.stream().filter(move -> move.peer() == peer).toList();
    }

    private double[] values(Peer peer, ToDoubleFunction<Moved> value, Predicate<Moved> counts) {
        return of(peer).stream().filter(counts).mapToDouble(value).toArray();
    }
}
