package io.pageferry.core.dirty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.testing.Harness;
import io.pageferry.core.testing.TestGuest;
import io.pageferry.core.testing.tracker.TrackerContract;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** The tracker that compares contents: alone, and in whole migrations. */
class ScanTrackerTest extends TrackerContract {
    private static final int SEEDS = 60;

    private static final RegionTable REGIONS = new RegionTable(List.of(
            new Region(0, "low", 0, 200 * 4096L, 4096),
            new Region(1, "high", 1L << 32, (PAGES - 200) * 4096L, 2 << 20)));

    @Override
    protected Tracked open() {
        return scanned();
    }

    private static TrackedMemory scanned() {
        return new TrackedMemory(REGIONS, (memory, pages) -> new ScanTracker(memory));
    }

    /** What stands in a hole of the test's memory is no zero, so a read of it would be seen. */
    @Test
    void readsNoHole() throws Exception {
        try (TrackedMemory guest = scanned(); DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            guest.memory().punch(5);
            guest.memory().punch(250);
            guest.tracker().start();
            guest.tracker().harvest(dirty);
            assertEquals(0, dirty.count());
            guest.write(5, 1);
            guest.tracker().harvest(dirty);
            assertTrue(dirty.isMarked(5), "a page born in a hole");
            assertEquals(1, dirty.count());
        }
    }

    @Test
    void knowsNothingOfAnEarlierStart() throws Exception {
        try (TrackedMemory guest = scanned(); DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            guest.tracker().start();
            guest.write(9, 1);
            guest.send(9);
            guest.tracker().harvest(dirty);
            assertFalse(dirty.isMarked(9));
            guest.tracker().start();
            guest.tracker().harvest(dirty);
            assertTrue(dirty.isMarked(9));
        }
    }

    @Test
    void everySeedArrivesAsItWasPaused() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            try (Harness harness = new Harness(seed)) {
                harness.guest().show(new ScanTracker(harness.guest().memory()));
                assertArrives(harness);
                harness.guest().tracker().close();
            }
        });
    }

    @Test
    void findsWhatIsWrittenWhileAPageIsSent() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            try (Harness harness = quiet(seed); Meddler meddler = new Meddler(harness, false)) {
                harness.guest().show(meddler);
                assertArrives(harness);
                assertTrue(meddler.writes() > 0, "nothing was written meanwhile, seed " + seed);
            }
        });
    }

    /** The control: a tracker that hashes the page a second time instead of what was sent. */
    @Test
    void aHashOfTheLivePageLosesWrites() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            try (Harness harness = quiet(seed); Meddler meddler = new Meddler(harness, true)) {
                harness.guest().show(meddler);
                Harness.Ends ends = harness.run();
                assertEquals(Result.COMPLETED, ends.source().result(), ends::toString);
                assertTrue(meddler.writes() > 0, "nothing was written meanwhile, seed " + seed);
                assertEquals(meddler.writes(), harness.incoming().wrongPages(),
                        "seed " + seed + ": writes that were not lost");
            }
        });
    }

    /** A guest that writes only when {@link Meddler} has it write. */
    private static Harness quiet(long seed) {
        Harness harness = new Harness(seed).writes(0);
        harness.guest().stateTakes(0, 0);
        for (int page = 0; page < harness.guest().workload().pages(); page += 2) {
            harness.guest().writeData(page);
        }
        return harness;
    }

    private static void assertArrives(Harness harness) {
        Harness.Ends ends = harness.run();
        String what = "seed " + harness.seed() + ": " + ends + "; " + harness.log();
        assertEquals(Result.COMPLETED, ends.source().result(), what);
        assertEquals(0, harness.incoming().wrongPages(), what);
    }

    /** Has the guest write every page once between the copy and the tracker's hearing of it. */
    private static final class Meddler implements DirtyTracker, SentPages {
        private final TestGuest guest;
        private final ScanTracker tracker;
        private final boolean readsAgain;
        private final BitSet written = new BitSet();

        Meddler(Harness harness, boolean readsAgain) {
            this.guest = harness.guest();
            this.tracker = new ScanTracker(guest.memory());
            this.readsAgain = readsAgain;
        }

        int writes() {
            return written.cardinality();
        }

        @Override
        public void sent(long page, MemorySegment bytes, long at) {
            if (guest.isRunning() && !written.get((int) page)) {
                written.set((int) page);
                guest.writeData((int) page);
            }
            if (readsAgain) {
                tracker.sent(page, MemorySegment.ofArray(guest.memory().read(page)), 0);
            } else {
                tracker.sent(page, bytes, at);
            }
        }

        @Override
        public void sentZero(long page) {
            tracker.sentZero(page);
        }

        @Override
        public String name() {
            return tracker.name();
        }

        @Override
        public void start() {
            tracker.start();
        }

        @Override
        public void harvest(DirtyBitmap into) {
            tracker.harvest(into);
        }

        @Override
        public void close() {
            tracker.close();
        }
    }
}
