package io.pageferry.core.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.simulation.Verdict.Place;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Ten thousand migrations in which anything goes wrong at any step; more of them with
 * {@code -Dpageferry.simulation.seeds=N}. A failure names its seed; that migration alone runs again
 * with {@code -Dpageferry.simulation.seed=N}.
 */
class SimulationTest {
    private static final String SEED = "pageferry.simulation.seed";
    private static final int SEEDS = Integer.getInteger("pageferry.simulation.seeds", 10_000);

    private final Map<Place, Integer> places = new EnumMap<>(Place.class);
    private final Map<String, Integer> happened = new TreeMap<>();
    private final Map<GuestWriter.Pattern, Integer> patterns =
            new EnumMap<>(GuestWriter.Pattern.class);

    private long held;

    @Test
    void atMostOneSideRunsAndItRunsTheRightImage() {
        Long only = Long.getLong(SEED);
        if (only != null) {
            run(only);
            return;
        }
        LongStream.range(0, SEEDS).forEach(this::run);
        String seen = places + ", " + patterns + ", " + happened;
        for (Place place : Place.values()) {
            assertTrue(places.getOrDefault(place, 0) > 0, "never: " + place + "; " + seen);
        }
        for (String fault : expected()) {
            assertTrue(happened.containsKey(fault), "never: " + fault + "; " + seen);
        }
        assertEquals(GuestWriter.Pattern.values().length, patterns.size(), seen);
        assertTrue(held > SEEDS, "the bandwidth was looked at only " + held + " times");
    }

    @Test
    void theSameSeedIsTheSameMigration() {
        for (long seed = 0; seed < 50; seed++) {
            try (Simulation one = new Simulation(seed, Mutant.NONE);
                    Simulation two = new Simulation(seed, Mutant.NONE)) {
                one.run();
                two.run();
                assertEquals(one.log.events(), two.log.events(), "seed " + seed);
            }
        }
    }

    private void run(long seed) {
        try (Simulation simulation = new Simulation(seed, Mutant.NONE)) {
            Verdict verdict = simulation.run();
            places.merge(verdict.place(), 1, Integer::sum);
            patterns.merge(simulation.writer.pattern(), 1, Integer::sum);
            simulation.faults.happened().forEach(fault -> happened.merge(fault, 1, Integer::sum));
            simulation.wishes.words().forEach(wish -> happened.merge(wish, 1, Integer::sum));
            verdict.ends().forEach(end -> happened.merge(end, 1, Integer::sum));
            held += simulation.connector.metered();
            assertEquals(0, simulation.connector.stragglersIn());
        }
    }

    /** Every wish, every death at an act that matters, and a cut in every state. */
    private static List<String> expected() {
        List<String> faults = new ArrayList<>(Wishes.ALL);
        faults.addAll(Verdict.ENDS);
        Fuse.SOURCE_ACTS.forEach(act -> {
            faults.add("source before " + act);
            faults.add("source after " + act);
        });
        Fuse.TARGET_ACTS.forEach(act -> {
            faults.add("target before " + act);
            faults.add("target after " + act);
        });
        for (String state : List.of("NEGOTIATING", "PRECOPY", "SWITCHOVER", "GRANTED")) {
            faults.add("cut in " + state);
            faults.add("cancel in " + state);
        }
        faults.add("cut in READY");
        faults.add("cancel in READY");
        faults.add(Faults.CANCEL_WHILE_LOST);
        faults.add(Faults.CANCEL_OVER_SILENCE);
        faults.add(Faults.DAMAGED);
        faults.add("settled");
        faults.add(Faults.STATUS_MEANWHILE);
        faults.add(Faults.SETTLED_MEANWHILE);
        faults.add("locked at home");
        faults.add("locked at the target");
        return faults;
    }
}
