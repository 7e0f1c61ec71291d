package io.pageferry.core.dirty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.tracker.TrackerContract;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Two writers of one memory, each with a tracker of its own. */
class JoinedTrackerTest {
    @Nested
    class OfTwoWriters extends TrackerContract {
        @Override
        protected Tracked open() {
            return new TwoWriters();
        }
    }

    /** They take turns. */
    private static final class TwoWriters implements TrackerContract.Tracked {
        private final List<MarkingTracker> writers = List.of(
                new MarkingTracker(TrackerContract.PAGES),
                new MarkingTracker(TrackerContract.PAGES));
        private final TrackedMemory memory = new TrackedMemory(
                RegionTable.single("ram", TrackerContract.PAGES * 4096L),
                (any, pages) -> new JoinedTracker(writers));
        private int turn;

        @Override
        public DirtyTracker tracker() {
            return memory.tracker();
        }

        @Override
        public void write(long page, int number) {
            memory.write(page, number);
            writers.get(turn++ % 2).mark(page);
        }

        @Override
        public void discardAndRead(long page) {
            memory.discardAndRead(page);
            writers.get(turn++ % 2).mark(page);
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

    private final List<String> done = new ArrayList<>();
    private final Writer first = new Writer("first", 3);
    private final Writer second = new Writer("second", 7);

    /** Writes one page between two harvests. */
    private final class Writer implements DirtyTracker {
        private final String name;
        private final long page;
        private boolean broken;
        private boolean missesHoles;

        Writer(String name, long page) {
            this.name = name;
            this.page = page;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void start() throws TrackerException {
            fail();
            done.add(name + " armed");
        }

        @Override
        public void harvest(DirtyBitmap into) throws TrackerException {
            into.mark(page);
            fail();
        }

        @Override
        public void harvestPaused(DirtyBitmap into) {
            into.mark(page + 1);
        }

        private void fail() throws TrackerException {
            if (broken) {
                throw new TrackerException(name + " is broken", null);
            }
        }

        @Override
        public boolean mayMissHoles() {
            return missesHoles;
        }

        @Override
        public void close() {
            done.add(name + " closed");
        }
    }

    @Test
    void allAreAskedInThePauseToo() throws TrackerException {
        try (JoinedTracker joined = new JoinedTracker(List.of(first, second));
                DirtyBitmap dirty = new DirtyBitmap(10)) {
            joined.start();
            joined.harvest(dirty);
            assertEquals(List.of(3L, 7L), marks(dirty));
            dirty.clearAll();
            joined.harvestPaused(dirty);
            assertEquals(List.of(4L, 8L), marks(dirty));
            assertEquals("first", joined.name());
        }
        assertEquals(List.of("first armed", "second armed", "first closed", "second closed"),
                done);
    }

    @Test
    void oneThatFailsIsSaidAndTheOthersAreAsked() throws TrackerException {
        try (JoinedTracker joined = new JoinedTracker(List.of(first, second));
                DirtyBitmap dirty = new DirtyBitmap(10)) {
            joined.start();
            first.broken = true;
            TrackerException failed =
                    assertThrows(TrackerException.class, () -> joined.harvest(dirty));
            assertEquals("first is broken", failed.getMessage());
            assertEquals(List.of(3L, 7L), marks(dirty));
            second.broken = true;
            failed = assertThrows(TrackerException.class, () -> joined.harvest(dirty));
            assertEquals("second is broken", failed.getSuppressed()[0].getMessage());
        }
    }

    @Test
    void whereOneCannotBeArmedNoneStaysSo() {
        second.broken = true;
        JoinedTracker joined = new JoinedTracker(List.of(first, second));
        assertThrows(TrackerException.class, joined::start);
        assertEquals(List.of("first armed", "first closed", "second closed"), done);
    }

    @Test
    void oneThatMayMissHolesIsEnough() {
        try (JoinedTracker joined = new JoinedTracker(List.of(first, second))) {
            assertEquals(false, joined.mayMissHoles());
            second.missesHoles = true;
            assertEquals(true, joined.mayMissHoles());
            assertEquals(false, joined.comparesContents());
        }
    }

    @Test
    void nothingCannotBeJoined() {
        assertThrows(IllegalArgumentException.class, () -> new JoinedTracker(List.of()));
    }

    private static List<Long> marks(DirtyBitmap dirty) {
        List<Long> marks = new ArrayList<>();
        for (long page = dirty.nextMarked(0); page < 10; page = dirty.nextMarked(page + 1)) {
            marks.add(page);
        }
        return marks;
    }
}
