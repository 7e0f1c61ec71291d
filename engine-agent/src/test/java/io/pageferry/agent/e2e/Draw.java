package io.pageferry.agent.e2e;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** What chance chooses in a run, and how the same is chosen again. */
final class Draw {
    /** Whether all is asked for, and not a sample. */
    static final boolean FULL = Boolean.getBoolean("pageferry.full");

    /** Where it is said, only what has this in its name. */
    private static final String ONLY = System.getProperty("pageferry.only", "");

    private Draw() {
    }

    /** Makes a source of chance, and prints what has it choose the same again. */
    static Random random() {
        long seed = Long.getLong("pageferry.test.seed", System.nanoTime());
        System.out.println("-Dpageferry.test.seed=" + seed + (FULL ? ", full" : ""));
        return new Random(seed);
    }

    /**
     * Draws so many in an order of chance, a third of that where a run has no time for all tests,
     * or all of them in such an order.
     */
    static <T> List<T> sample(Collection<T> all, int usual) {
        int most = SampleCondition.sampled() ? (usual + 2) / 3 : usual;
        List<T> drawn = new ArrayList<>(all);
        drawn.removeIf(one -> !one.toString().contains(ONLY));
        Collections.shuffle(drawn, random());
        return FULL || drawn.size() <= most ? drawn : drawn.subList(0, most);
    }
}
