package io.pageferry.core.dirty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.tracker.TrackerContract;
import java.io.IOException;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A tracker of stores that is told, or has to find out, what changed without one. */
class WatchedTrackerTest {
    private static final int PAGES = TrackerContract.PAGES;

    private static TrackedWatched open(Signs signs) {
        MarkingTracker[] stores = new MarkingTracker[1];
        TrackedMemory memory = new TrackedMemory(RegionTable.single("ram", PAGES * 4096L),
                (one, pages) -> {
                    stores[0] = new MarkingTracker(pages);
                    return new WatchedTracker(stores[0], signs, one);
                });
        return new TrackedWatched(memory, stores[0], signs);
    }

    /** A watch that the test has hear. */
    private static final class Signs implements ChangeWatch {
        private final boolean silent;
        private final boolean deaf;
        private boolean heard;
        private boolean open;
        private IOException trouble;

        Signs(boolean silent) {
            this(silent, false);
        }

        Signs(boolean silent, boolean deaf) {
            this.silent = silent;
            this.deaf = deaf;
        }

        @Override
        public boolean isDeaf() {
            return deaf;
        }

        @Override
        public void start() throws IOException {
            throwTrouble();
            open = true;
        }

        @Override
        public boolean heard() throws IOException {
            throwTrouble();
            boolean was = heard;
            heard = false;
            return was;
        }

        private void throwTrouble() throws IOException {
            if (trouble != null) {
                throw trouble;
            }
        }

        @Override
        public boolean isSilent(int region) {
            return silent;
        }

        @Override
        public void close() {
            open = false;
        }
    }

    private record TrackedWatched(TrackedMemory memory, MarkingTracker stores, Signs signs)
            implements TrackerContract.Tracked {
        @Override
        public DirtyTracker tracker() {
            return memory.tracker();
        }

        @Override
        public void write(long page, int number) {
            memory.write(page, number);
            stores.mark(page);
        }

        /** Where no store is, nothing is marked. */
        void writePast(long page, int number) {
            memory.write(page, number);
            signs.heard = !signs.silent && !signs.deaf;
        }

        @Override
        public void discardAndRead(long page) {
            memory.discardAndRead(page);
            signs.heard = !signs.silent && !signs.deaf;
        }

        @Override
        public int send(long page) {
            return memory.send(page);
        }

        @Override
        public void close() {
            memory.close();
        }
    }

    @Nested
    class OfSilentMemory extends TrackerContract {
        @Override
        protected Tracked open() {
            return WatchedTrackerTest.open(new Signs(true));
        }
    }

    @Nested
    class OfMemoryThatTells extends TrackerContract {
        @Override
        protected Tracked open() {
            return WatchedTrackerTest.open(new Signs(false));
        }
    }

    @Nested
    class OfMemoryThatAnybodyWrites extends TrackerContract {
        @Override
        protected Tracked open() {
            return WatchedTrackerTest.open(new Signs(true, true));
        }
    }

    /** Round 0: every page was written and sent, and nothing is dirty. */
    private static void sendAll(TrackedWatched guest, DirtyBitmap dirty,
            IntUnaryOperator content) throws TrackerException {
        guest.tracker().start();
        for (int page = 0; page < PAGES; page++) {
            guest.write(page, content.applyAsInt(page));
            guest.send(page);
        }
        guest.tracker().harvest(dirty);
        dirty.clearAll();
    }

    @Test
    void whatLeavesNoSignIsComparedEachTime() throws Exception {
        try (TrackedWatched guest = open(new Signs(false, true));
                DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            sendAll(guest, dirty, page -> 1);
            guest.writePast(3, 2);
            guest.tracker().harvest(dirty);
            assertEquals(1, dirty.count());
            assertTrue(dirty.isMarked(3));
            guest.writePast(4, 2);
            guest.tracker().harvestPaused(dirty);
            assertEquals(2, dirty.count());
        }
    }

    @Test
    void aChangeMarksEveryPageOnceAndThenOnlyWhatDiffers() throws Exception {
        try (TrackedWatched guest = open(new Signs(false));
                DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            sendAll(guest, dirty, page -> 1);
            guest.writePast(3, 2);
            guest.tracker().harvest(dirty);
            assertEquals(PAGES, dirty.count(), "nothing is known of what was sent before");
            for (int page = 0; page < PAGES; page++) {
                guest.send(page);
            }
            dirty.clearAll();
            guest.tracker().harvest(dirty);
            assertEquals(0, dirty.count(), "no change, no comparison");
            guest.writePast(4, 3);
            guest.discardAndRead(5);
            guest.tracker().harvest(dirty);
            assertEquals(2, dirty.count());
            assertTrue(dirty.isMarked(4) && dirty.isMarked(5));
        }
    }

    @Test
    void aSilentPageThatStayedAsItWasIsNotSentAgain() throws Exception {
        try (TrackedWatched guest = open(new Signs(true));
                DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            sendAll(guest, dirty, page -> page % 2);
            guest.discardAndRead(6); // it was sent as zeros
            guest.discardAndRead(7);
            guest.tracker().harvestPaused(dirty);
            assertEquals(1, dirty.count());
            assertTrue(dirty.isMarked(7));
        }
    }

    @Test
    void aWatchThatFailsIsAScanThatFailed() throws Exception {
        Signs signs = new Signs(false);
        try (TrackedWatched guest = open(signs); DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            guest.tracker().start();
            signs.trouble = new IOException("gone");
            assertThrows(TrackerException.class, () -> guest.tracker().harvest(dirty));
            assertThrows(TrackerException.class, () -> guest.tracker().start());
        }
        assertTrue(!signs.open, "left open");
    }

    @Test
    void holesAreLookedForUnlessItWouldHaveBeenTold() throws Exception {
        Signs signs = new Signs(false);
        try (TrackedWatched guest = open(signs); DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            sendAll(guest, dirty, page -> 1);
            guest.tracker().harvestPaused(dirty);
            assertFalse(guest.tracker().mayMissHoles(), "no page can have lost its storage");
            guest.writePast(3, 2);
            guest.tracker().harvest(dirty);
            guest.tracker().harvestPaused(dirty);
            assertTrue(guest.tracker().mayMissHoles(), "it was told before the pause");
        }
        for (Signs others : List.of(new Signs(true), new Signs(true, true))) {
            try (TrackedWatched guest = open(others); DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
                sendAll(guest, dirty, page -> 1);
                assertTrue(guest.tracker().mayMissHoles(), "nobody tells");
            }
        }
    }

    @Test
    void holesAreLookedForWhereTheWatchFailed() throws Exception {
        Signs signs = new Signs(false);
        try (TrackedWatched guest = open(signs); DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            guest.tracker().start();
            signs.trouble = new IOException("gone");
            assertThrows(TrackerException.class, () -> guest.tracker().harvestPaused(dirty));
            assertTrue(guest.tracker().mayMissHoles());
        }
    }
}
