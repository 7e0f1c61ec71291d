package io.pageferry.agent.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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

    /** A round as {@link #json} has it. */
    static String line(JsonNode round) {
        return String.format(Locale.ROOT,
                "round %2d %s %8d dirty, %8d sent (%s), %9.1f MiB on the wire, %8.1f ms",
                round.path("round").asInt(),
                round.path("phase").asText().equals("stop-and-copy") ? "last" : "    ",
                round.path("dirtyPages").asLong(), round.path("sentPages").asLong(),
                codecs(round), round.path("wireBytes").asLong() / MEBI,
                round.path("durationMs").asDouble());
    }

    /** zstd and delta only where there are any: most moves have none. */
    private static String codecs(JsonNode round) {
        return round.path("zero").asLong() + " zero, " + round.path("raw").asLong() + " raw, "
                + round.path("lz4").asLong() + " lz4" + some(round, "zstd")
                + some(round, "delta");
    }

    private static String some(JsonNode round, String codec) {
        long pages = round.path(codec).asLong();
        return pages == 0 ? "" : ", " + pages + " " + codec;
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
