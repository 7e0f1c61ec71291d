package io.pageferry.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Compares this build with another one, row by row of equal name. Both are measured in turn, so
 * that what else the machine does meets both.
 *
 * <p>A row is OK where this build's median is at most 5 % worse than the other's, or the spreads
 * overlap; both are taken over the turns, of one value each. A build that failed is FAIL and gives
 * no figure; so is a row that only the other build has. A bar that a benchmark sets for itself is
 * not judged here, nor is a reference ({@link Rows#reference}).
 */
final class Comparison {
    private static final double WORSE = 0.05;

    private final Rows rows;
    private final Output output;
    private int judged;

    Comparison(String name, Output output) {
        this.rows = new Rows(name, 0);
        this.output = output;
    }

    /** What one build showed in all turns: by name of a row its values, or why there is none. */
    private record Found(String title, Map<String, List<Double>> values,
            Map<String, JsonNode> rows, Map<String, String> problems) {
        Found(Build build) {
            this(build.title(), new LinkedHashMap<>(), new LinkedHashMap<>(), new TreeMap<>());
        }

        void add(JsonNode row) {
            String what = row.path("what").asText();
            if (row.has("value")) {
                rows.putIfAbsent(what, row);
                values.computeIfAbsent(what, w -> new ArrayList<>())
                        .add(row.path("value").asDouble());
            } else if (row.path("verdict").asText().equals("FAIL")) {
                problems.putIfAbsent(what, title + ": " + row.path("spread").asText("failed"));
            }
        }

        Sample sample(String what) {
            return new Sample(values.get(what).stream().mapToDouble(v -> v).toArray());
        }
    }

    /**
     * Measures both in turn, this one first, and compares.
     *
     * @param ours  this build
     * @param other the other one
     * @param turns of each, 1 or more
     * @return the result
     */
    ObjectNode run(Build ours, Build other, int turns) {
        List<Build> both = List.of(ours, other);
        List<Found> found = both.stream().map(Found::new).toList();
        for (int turn = 1; turn <= turns; turn++) {
            for (int i = 0; i < both.size(); i++) {
                output.human("turn " + turn + " of " + turns + ": " + both.get(i).title());
                try {
                    both.get(i).measure().rows().forEach(found.get(i)::add);
                } catch (IOException e) {
                    rows.note(both.get(i).title(), "FAIL", e.getMessage());
                    return rows.result();
                }
            }
        }
        compare(found.getFirst(), found.getLast());
        return rows.result();
    }

    private void compare(Found ours, Found other) {
        Map<String, String> problems = new TreeMap<>(other.problems());
        problems.putAll(ours.problems());
        problems.forEach((what, words) -> rows.note(what, "FAIL", words));
        for (String what : ours.values().keySet()) {
            if (!problems.containsKey(what)) {
                if (other.values().containsKey(what)) {
                    add(what, ours, other);
                } else {
                    rows.note(what, "OK", "only in " + ours.title());
                }
            }
        }
        for (String what : other.values().keySet()) {
            if (!problems.containsKey(what) && !ours.values().containsKey(what)) {
                rows.note(what, "FAIL", "only in " + other.title());
            }
        }
        if (judged == 0) {
            rows.note("comparison", "FAIL", "no figure that both builds have");
        }
    }

    private void add(String what, Found ours, Found other) {
        JsonNode row = ours.rows().get(what);
        Sample mine = ours.sample(what);
        Sample theirs = other.sample(what);
        boolean reference = row.path("reference").asBoolean();
        judged += reference ? 0 : 1;
        ObjectNode made = rows.add(what, mine, row.path("unit").asText(), true);
        double value = Rows.rounded(theirs.median());
        made.put("other", value).put("otherSpread", Rows.spread(theirs))
                .put("against", value + " (" + Rows.spread(theirs) + ") of " + other.title());
        if (theirs.median() != 0) {
            made.put("ratio", Math.round(mine.median() / theirs.median() * 1000) / 1000.0);
        }
        made.put("verdict", reference || isAsGood(mine, theirs, row.path("unit").asText())
                ? "OK" : "FAIL");
        if (reference) {
            made.put("reference", true);
        }
    }

    /** Judges by the rule above. */
    static boolean isAsGood(Sample mine, Sample theirs, String unit) {
        boolean moreIsBetter = unit.endsWith("/s") || unit.startsWith("ops/");
        boolean near = moreIsBetter
                ? mine.median() >= theirs.median() * (1 - WORSE)
                : mine.median() <= theirs.median() * (1 + WORSE);
        return near || mine.low() <= theirs.high() && theirs.low() <= mine.high();
    }
}
