package io.pageferry.core.dirty;

import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.tracker.TrackerContract;

/** The tracker of guests that mark their own writes. */
class MarkingTrackerTest extends TrackerContract {
    @Override
    protected Tracked open() {
        return new TrackedMemory(RegionTable.single("ram", PAGES * 4096L),
                (memory, pages) -> new MarkingTracker(pages));
    }
}
