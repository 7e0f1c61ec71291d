package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What a target process holds, looked at while nothing is under way. */
final class SoakFigures {
    private static final int FEW = 4;

    private final SoakProcess target;
    private final List<ObjectNode> looks = new ArrayList<>();

    SoakFigures(SoakProcess target) {
        this.target = target;
    }

    /** Looks, and prints what is seen; returns the number of the look, 0 for the first. */
    int look(String when) throws IOException {
        looks.add(target.figures());
        System.out.println("after " + when + ": " + looks.getLast());
        return looks.size() - 1;
    }

    /**
     * Compares the last look with an earlier one. What is counted comes back to what it was, but
     * for some threads of the JVM that wait for processes and stay for a minute, and descriptors
     * that are there or not at any look (149 to 151 in four runs, whatever came between). Memory
     * has room for what an allocator keeps; a leak in one of six moves, or of some KiB in each of a
     * thousand, does not fit in.
     */
    void assertNoGrowth(int since, String when) throws IOException {
        ObjectNode before = looks.get(since);
        ObjectNode[] after = {looks.getLast()};
        for (String counted : List.of("threads", "descriptors", "files")) {
            Poll.until(() -> {
                boolean more = grown(before, after[0], counted)
                        > (counted.equals("files") ? 0 : FEW);
                after[0] = more ? target.figures() : after[0];
                return !more;
            }, () -> when + ", " + counted + ": " + before + " before, " + after[0] + " now");
        }
        String what = when + ": " + before + " before, " + after[0] + " afterwards";
        assertTrue(grown(before, after[0], "mappings") < 64, what);
        assertTrue(grown(before, after[0], "heapBytes") < 4 << 20, what);
        assertTrue(grown(before, after[0], "directBytes") < 32 << 20, what);
        assertTrue(grown(before, after[0], "residentBytes") < 64 << 20, what);
    }

    private static long grown(ObjectNode before, ObjectNode after, String what) {
        return after.path(what).asLong() - before.path(what).asLong();
    }
}
