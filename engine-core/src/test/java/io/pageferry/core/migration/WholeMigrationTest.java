package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.testing.Harness;
import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Whole migrations, everything about them drawn from a seed. */
class WholeMigrationTest {
    private static final int SEEDS = 300;

    @Test
    void everySeedArrivesAsItWasPaused() {
        LongStream.range(0, SEEDS).forEach(WholeMigrationTest::migrate);
    }

    private static void migrate(long seed) {
        try (Harness harness = new Harness(seed)) {
            Harness.Ends ends = harness.run();
            String what = "seed " + seed + ": " + ends + "; " + harness.log();
            assertEquals(Result.COMPLETED, ends.source().result(), what);
            assertEquals(Result.COMPLETED, ends.target().result(), what);
            assertEquals(0, harness.incoming().wrongPages(), what);
            assertEquals(1, harness.log().count("source.end"), what);
            assertEquals(1, harness.log().count("target.resume"), what);
            assertFalse(harness.guest().isRunning(), what);
            assertTrue(harness.incoming().isRunning(), what);
            assertTrue(harness.source().figures().digestsCompared(), what);
            assertEquals(harness.source().figures().sourceDigest(),
                    harness.target().figures().targetDigest(), what);
            assertSameMemory(harness, what);
            assertOrder(harness, what);
        }
    }

    private static void assertSameMemory(Harness harness, String what) {
        long pages = harness.guest().memory().regions().pageCount();
        for (long page = 0; page < pages; page++) {
            if (!Arrays.equals(harness.guest().memory().read(page),
                    harness.incoming().image().read(page))) {
                throw new AssertionError("page " + page + " differs; " + what);
            }
        }
    }

    private static void assertOrder(Harness harness, String what) {
        assertTrue(harness.log().inOrder("source.J(SWITCHOVER 1)", "source.pause", "source.save",
                "target.J(PREPARED 1)", "target.load", "source.J(GRANTED 1)",
                "target.J(ACTIVE 1)", "target.resume", "target.J(RUNNING 1)", "source.J(DONE 1)",
                "source.end", "source.J(SETTLED 1)"), what);
    }
}
