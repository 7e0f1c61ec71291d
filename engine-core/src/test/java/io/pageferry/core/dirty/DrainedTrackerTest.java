package io.pageferry.core.dirty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.testing.ManualClock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Devices that write late: in which order they are waited for, and what a failed wait costs. */
class DrainedTrackerTest {
    private static final long PAGES = 100;

    private final List<String> done = new ArrayList<>();
    private final DirtyBitmap dirty = new DirtyBitmap(PAGES);
    private final ManualClock clock = new ManualClock(0);
    private boolean hangs;
    private final DrainedTracker tracker = new DrainedTracker(new Stores(), () -> {
        done.add("drain");
        if (hangs) {
            throw new IOException("a disk hangs");
        }
        clock.advance(5);
    }, clock::nanoTime);

    /** One page is written between two harvests. */
    private final class Stores implements DirtyTracker {
        @Override
        public String name() {
            return "stores";
        }

        @Override
        public void start() {
            done.add("arm");
        }

        @Override
        public void harvest(DirtyBitmap into) {
            done.add("harvest");
            into.mark(7);
        }

        @Override
        public void harvestPaused(DirtyBitmap into) {
            done.add("last");
            into.mark(7);
        }

        @Override
        public boolean mayMissHoles() {
            return false;
        }

        @Override
        public void close() {
            done.add("close");
        }
    }

    @AfterEach
    void close() {
        dirty.close();
    }

    @Test
    void waitsBehindEachHarvestButTheLast() throws TrackerException {
        tracker.start();
        tracker.harvest(dirty);
        tracker.harvestPaused(dirty);
        tracker.close();
        assertEquals(List.of("arm", "drain", "harvest", "drain", "last", "close"), done);
        assertEquals(1, dirty.count());
        assertEquals(new DrainedTracker.Costs(2, 10, 5), tracker.costs());
        assertEquals("stores", tracker.name());
        assertEquals(false, tracker.mayMissHoles());
        assertEquals(false, tracker.comparesContents());
    }

    /** What was read behind it may have been read too early, and its mark is gone. */
    @Test
    void aFailedWaitMakesEverythingDirtyOnceMore() throws TrackerException {
        tracker.start();
        hangs = true;
        TrackerException failed =
                assertThrows(TrackerException.class, () -> tracker.harvest(dirty));
        assertTrue(failed.getMessage().contains("a disk hangs"), failed.getMessage());
        dirty.clearAll();
        hangs = false;
        tracker.harvest(dirty);
        assertEquals(PAGES, dirty.count());
        dirty.clearAll();
        tracker.harvest(dirty);
        assertEquals(1, dirty.count());
    }

    @Test
    void afterAFailedWaitThePauseHasEverythingToo() throws TrackerException {
        tracker.start();
        hangs = true;
        assertThrows(TrackerException.class, () -> tracker.harvest(dirty));
        dirty.clearAll();
        tracker.harvestPaused(dirty);
        assertEquals(PAGES, dirty.count());
    }

    @Test
    void whatCannotWaitIsNotArmed() {
        hangs = true;
        assertThrows(TrackerException.class, tracker::start);
        assertEquals(List.of("arm", "drain", "close"), done);
    }
}
