package io.pageferry.core.testing;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.MarkingTracker;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;

/**
 * A tracker that can tell no less than a region's granule apart: one write marks all of it, as a
 * huge page's one bit does. Thread-safe for marks.
 */
public final class CoarseTracker implements DirtyTracker {
    private final RegionTable regions;
    private final MarkingTracker marks;

    /**
     * Makes an unarmed tracker.
     *
     * @param regions of the guest
     */
    public CoarseTracker(RegionTable regions) {
        this.regions = regions;
        this.marks = new MarkingTracker(regions.pageCount());
    }

    /**
     * Notes a write, after it.
     *
     * @param page global index
     */
    public void mark(long page) {
        int region = regions.regionOf(page);
        long pages = regions.region(region).granule() >>> PageGeometry.PAGE_SHIFT;
        long base = regions.firstPage(region);
        long first = base + (page - base) / pages * pages;
        long end = Math.min(first + pages, regions.endPage(region));
        for (long each = first; each < end; each++) {
            marks.mark(each);
        }
    }

    @Override
    public String name() {
        return marks.name();
    }

    @Override
    public void start() {
        marks.start();
    }

    @Override
    public void harvest(DirtyBitmap into) {
        marks.harvest(into);
    }

    @Override
    public void close() {
        marks.close();
    }
}
