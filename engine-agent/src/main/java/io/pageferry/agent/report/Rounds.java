package io.pageferry.agent.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.core.round.PagesByCodec;
import io.pageferry.core.round.RoundStats;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Rounds as JSON and as lines for people. */
final class Rounds {
    private static final double MEBI = 1 << 20;

    private Rounds() {
    }

    static ObjectNode json(RoundStats round) {
        return Output.object()
                .put("round", round.round())
                .put("phase", round.stopAndCopy() ? "stop-and-copy" : "precopy")
                .put("dirtyPages", round.dirtyPages())
                .put("sentPages", round.sentPages())
                .put("zero", round.sent().zero())
                .put("raw", round.sent().raw())
                .put("lz4", round.sent().lz4())
                .put("zstd", round.sent().zstd())
                .put("delta", round.sent().delta())
                .put("duplicate", 0)
                .put("skipped", round.skipped())
                .put("deferred", 0)
                .put("guestBytes", round.guestBytes())
                .put("wireBytes", round.wireBytes())
                .put("durationMs", millis(round.durationNanos()))
                .put("dirtyBytesPerSecond", Math.round(round.dirtyBytesPerSecond()))
                .put("wireBytesPerSecond", Math.round(round.wireBytesPerSecond()))
                .put("throttlePercent", tenths(round.throttlePercent()));
    }

    static ArrayNode json(List<RoundStats> rounds) {
        ArrayNode list = Output.object().arrayNode();
        merged(rounds).forEach(round -> list.add(json(round)));
        return list;
    }

    static String line(RoundStats round) {
        return String.format(Locale.ROOT,
                "round %2d %s %8d dirty, %8d sent (%s), %9.1f MiB on the wire, %8.1f ms",
                round.round(), round.stopAndCopy() ? "last" : "    ",
                round.dirtyPages(), round.sentPages(), codecs(round.sent()),
                round.wireBytes() / MEBI, millis(round.durationNanos()));
    }

    /** zstd and delta only where there are any: most moves have none. */
    private static String codecs(PagesByCodec sent) {
        return sent.zero() + " zero, " + sent.raw() + " raw, " + sent.lz4() + " lz4"
                + (sent.zstd() == 0 ? "" : ", " + sent.zstd() + " zstd")
                + (sent.delta() == 0 ? "" : ", " + sent.delta() + " delta");
    }

    /** A percentage with one decimal. */
    static double tenths(double percent) {
        return Math.round(percent * 10) / 10.0;
    }

    /** Milliseconds with three decimals. */
    static double millis(long nanos) {
        return Math.round(nanos / 1e3) / 1e3;
    }

    /**
     * The stop-and-copy round as one entry: the pages that saving the state dirtied went behind a
     * barrier of their own.
     */
    private static List<RoundStats> merged(List<RoundStats> rounds) {
        int last = rounds.size() - 1;
        if (last < 1 || !rounds.get(last - 1).stopAndCopy()) {
            return rounds;
        }
        List<RoundStats> result = new ArrayList<>(rounds.subList(0, last - 1));
        result.add(rounds.get(last - 1).plus(rounds.get(last)));
        return result;
    }
}
