package io.pageferry.agent.e2e;

import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.core.codec.page.ZeroCodec;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.memory.PageGeometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A copy of a guest's memory that a tracker keeps up with, as a target's image. */
final class FollowedCopy implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final RegionMemory regions;
    private final DirtyTracker tracker;
    private final DirtyBitmap dirty;
    private final MemorySegment copy;

    /** Arms the tracker, and copies all of it. Owns both. */
    FollowedCopy(RegionMemory regions, DirtyTracker tracker) throws TrackerException {
        this.regions = regions;
        this.tracker = tracker;
        long pages = regions.regions().pageCount();
        this.dirty = new DirtyBitmap(pages);
        this.copy = arena.allocate(PageGeometry.bytesOf(pages));
        tracker.start();
        dirty.markAll();
        copy();
    }

    /** Copies what was written meanwhile. */
    void follow() throws TrackerException {
        tracker.harvest(dirty);
        copy();
    }

    /** Does it for the last time, of a guest that stands still, and counts what is not equal. */
    long differing() throws TrackerException {
        tracker.harvestPaused(dirty);
        copy();
        MemorySegment page = arena.allocate(PageGeometry.PAGE_SIZE);
        long differing = 0;
        for (long at = 0; at < regions.regions().pageCount(); at++) {
            MemorySegment of = copy.asSlice(PageGeometry.bytesOf(at), PageGeometry.PAGE_SIZE);
            if (regions.nextData(at) != at) {
                differing += ZeroCodec.isZero(copy, PageGeometry.bytesOf(at)) ? 0 : 1;
            } else {
                regions.read(at, 1, page, 0);
                differing += of.mismatch(page) < 0 ? 0 : 1;
            }
        }
        return differing;
    }

    /** Clear, then read. */
    private void copy() {
        long end = regions.regions().pageCount();
        for (long page = dirty.nextMarked(0); page < end; page = dirty.nextMarked(page + 1)) {
            dirty.clear(page);
            if (regions.nextData(page) == page) {
                regions.read(page, 1, copy, PageGeometry.bytesOf(page));
            } else {
                copy.asSlice(PageGeometry.bytesOf(page), PageGeometry.PAGE_SIZE).fill((byte) 0);
            }
        }
    }

    @Override
    public void close() {
        tracker.close();
        dirty.close();
        regions.close();
        arena.close();
    }
}
