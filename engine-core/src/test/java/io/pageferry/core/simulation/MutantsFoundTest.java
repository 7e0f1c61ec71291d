package io.pageferry.core.simulation;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The simulation sees a rule that is broken: each mutant is found, each by what it breaks. */
class MutantsFoundTest {
    private static final int SEEDS = 2000;

    @ParameterizedTest
    @EnumSource(value = Mutant.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void isFound(Mutant mutant) {
        for (long seed = 0; seed < SEEDS; seed++) {
            try (Simulation simulation = new Simulation(seed, mutant)) {
                String what = failure(simulation);
                if (what.isEmpty()) {
                    continue;
                }
                assertTrue(what.startsWith("seed " + seed + ": "), what);
                assertTrue(isItsDoing(mutant, what), mutant + " was found by chance: " + what);
                assertTrue(mutant != Mutant.NO_GENERATION
                        || simulation.connector.stragglersIn() > 0,
                        "no batch of an old connection got in: " + what);
                return;
            }
        }
        fail(mutant + " was not found in " + SEEDS + " migrations");
    }

    private static String failure(Simulation simulation) {
        try {
            simulation.run();
            return "";
        } catch (AssertionError e) {
            return e.getMessage();
        }
    }

    private static boolean isItsDoing(Mutant mutant, String what) {
        return switch (mutant) {
            case RESUME_IN_GRANTED -> what.contains("two guests run")
                    || what.contains("the source runs");
            case NO_JOURNAL_LOCK -> what.contains("is refused, then active");
            case NO_GUEST_LOCK -> what.contains("two guests run")
                    || what.contains("the source runs while the target may");
            case CLEAR_AFTER_READ, NO_BARRIER, NO_GENERATION, UNPROVED_COUNTS ->
                    what.contains("pages were wrong") || what.contains("DIGEST_MISMATCH");
            case THROTTLE_LEFT_ON -> what.contains("the guest is still slowed down");
            case CANCEL_UNHEARD -> what.contains("the target was clean");
            case UNCOUNTED_BYTES -> what.contains("over the bandwidth");
            case NONE -> false;
        };
    }
}
