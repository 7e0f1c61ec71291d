package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.testing.Harness;
import io.pageferry.core.testing.TestImage;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** An image that was used before: what nobody sent must be zero, verified or not. */
class ReusedImageTest {
    private static final int SEEDS = 30;

    /** An image whose pages stay as they are when they should be cleared. */
    private static final class Stubborn extends TestImage {
        Stubborn(RegionTable regions) {
            super(regions);
        }

        @Override
        public void clear(long page, long count) {
            // Does not.
        }
    }

    /** An image that counts what costs a walk over all data behind a page. */
    private static final class Counting extends TestImage {
        private int walks;

        Counting(RegionTable regions) {
            super(regions);
        }

        @Override
        public long nextHole(long page) {
            walks++;
            return super.nextHole(page);
        }
    }

    @Test
    void isCleanedUnderPagesNeverSent() {
        LongStream.range(0, SEEDS).forEach(seed -> completes(seed, true));
    }

    @Test
    void isCleanedWithoutVerificationToo() {
        LongStream.range(0, SEEDS).forEach(seed -> completes(seed, false));
    }

    @Test
    void isFoundWhenItCannotBeCleaned() {
        LongStream.range(0, SEEDS).forEach(ReusedImageTest::isFound);
    }

    @Test
    void isNotWalkedAnewForEachPageToClean() {
        long walks = 0;
        long pages = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            try (Harness harness = harness(seed, true)) {
                Counting[] image = new Counting[1];
                harness.bendImage(fresh -> {
                    image[0] = new Counting(fresh.regions());
                    fresh.close();
                    image[0].dirty(new Random(harness.seed()), 100);
                    return image[0];
                });
                Harness.Ends ends = harness.run();
                assertEquals(Result.COMPLETED, ends.source().result(), "seed " + seed);
                walks += image[0].walks;
                pages += staleHoles(harness);
            }
        }
        assertTrue(walks < pages / 4, walks + " walks to clean " + pages + " pages and more");
    }

    private static void completes(long seed, boolean verify) {
        try (Harness harness = harness(seed, verify)) {
            harness.bendImage(image -> stale(image, seed));
            Harness.Ends ends = harness.run();
            String what = "seed " + seed + ": " + ends + "; " + harness.log();
            assertEquals(Result.COMPLETED, ends.source().result(), what);
            assertTrue(staleHoles(harness) > 0, what);
            assertEquals(0, harness.incoming().wrongPages(), what);
        }
    }

    private static void isFound(long seed) {
        try (Harness harness = harness(seed, true)) {
            harness.bendImage(image -> {
                Stubborn other = new Stubborn(image.regions());
                image.close();
                return stale(other, seed);
            });
            Harness.Ends ends = harness.run();
            String what = "seed " + seed + ": " + ends + "; " + harness.log();
            assertTrue(staleHoles(harness) > 0, what);
            assertEquals(Result.FAILED, ends.source().result(), what);
            assertEquals(ErrorCode.DIGEST_MISMATCH, ends.source().code(), what);
            assertTrue(ends.source().reason().contains("page "), what);
            assertFalse(harness.incoming().isLoaded(), what);
            assertTrue(harness.guest().isRunning(), what);
        }
    }

    private static Harness harness(long seed, boolean verify) {
        return new Harness(seed).source(drawn -> new SourceOptions(drawn.limits(), drawn.codec(),
                drawn.channels(), verify, drawn.negotiationNanos(), drawn.settleNanos(), true,
                drawn.handoverCost(), drawn.reconnectNanos(), drawn.extras()));
    }

    private static TestImage stale(TestImage image, long seed) {
        image.dirty(new Random(seed), 60);
        return image;
    }

    /** Pages that the guest left as holes and that had bytes of an earlier use. */
    private static long staleHoles(Harness harness) {
        try (TestImage before = new TestImage(harness.guest().memory().regions())) {
            stale(before, harness.seed());
            return LongStream.range(0, before.regions().pageCount())
                    .filter(page -> harness.guest().workload().isHole((int) page))
                    .filter(page -> before.nextData(page) == page).count();
        }
    }
}
