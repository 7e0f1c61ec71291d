package io.pageferry.core.link.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import org.junit.jupiter.api.Test;

/** A road is a delay and a rate: a batch waits for those before it. */
class FlightLimitTest {
    private static final int WINDOW = 16;

    @Test
    void aShortRoadHoldsTheFewest() {
        assertEquals(FlightLimit.FEWEST, inFlight(100, 1000));
    }

    @Test
    void aLongRoadGetsTheWholeWindow() {
        assertEquals(WINDOW, inFlight(100_000, 1000));
    }

    @Test
    void betweenThemItIsAboutWhatTheRoadHolds() {
        // Ten batches a delay: enough to keep it busy, not enough to wait for twice as long.
        int held = inFlight(10_000, 1000);
        assertTrue(held >= 10 && held <= WINDOW, "in flight: " + held);
    }

    @Test
    void aRoadThatBecameShortIsEmptiedAndALongOneFilled() {
        FlightLimit limit = new FlightLimit(WINDOW);
        assertEquals(WINDOW, drive(limit, 100_000, 1000, 4000));
        assertEquals(FlightLimit.FEWEST, drive(limit, 100, 1000, 2000));
        assertEquals(WINDOW, drive(limit, 100_000, 1000, 50_000));
    }

    @Test
    void aSmallWindowIsAllThereIs() {
        FlightLimit limit = new FlightLimit(2);
        assertTrue(limit.allows(1));
        assertFalse(limit.allows(2));
        for (int i = 0; i < 100; i++) {
            limit.took(i % 3 == 0 ? 10 : 100);
            assertTrue(limit.allows(1));
            assertFalse(limit.allows(2));
        }
    }

    private static int inFlight(long delay, long perBatch) {
        return drive(new FlightLimit(WINDOW), delay, perBatch, 2000);
    }

    /** Sends as fast as it is allowed; returns how many were in flight at the end. */
    private static int drive(FlightLimit limit, long delay, long perBatch, int batches) {
        ArrayDeque<long[]> flying = new ArrayDeque<>();
        long now = 0;
        long free = 0;
        int held = 0;
        for (int batch = 0; batch < batches; batch++) {
            while (!limit.allows(flying.size())) {
                long[] first = flying.poll();
                now = Math.max(now, first[1]);
                limit.took(first[1] - first[0]);
                held = flying.size() + 1;
            }
            free = Math.max(free, now) + perBatch;
            flying.add(new long[] {now, free + delay});
        }
        return held;
    }
}
