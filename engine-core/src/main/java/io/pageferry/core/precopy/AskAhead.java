package io.pageferry.core.precopy;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.RegionTable;

/**
 * Asks a memory that answers later for the dirty pages that come next in a round. They are younger
 * than the harvest that they are dirty by, and what is written to them from then on is in the
 * tracker again. Confined to one thread.
 */
final class AskAhead {
    /** 1 MiB, as much as a disk is read by at once. */
    private static final int MOST = 256;

    private final PageSource memory;
    private final DirtyBitmap dirty;
    private final RegionTable regions;
    private final boolean wanted;
    private long asked;

    AskAhead(PageSource memory, DirtyBitmap dirty) {
        this.memory = memory;
        this.dirty = dirty;
        this.regions = memory.regions();
        this.wanted = memory.answersLater();
    }

    /** Begins a round: what was asked for before is forgotten. */
    void begin() {
        asked = 0;
    }

    /** Asks for as much as the memory takes, of what is not handled yet. */
    void ask(long cursor) {
        if (!wanted) {
            return;
        }
        asked = Math.max(asked, cursor);
        for (long page = dirty.nextMarked(asked); page < regions.pageCount();
                page = dirty.nextMarked(asked)) {
            int got = memory.ask(page, runFrom(page));
            if (got == 0) {
                return;
            }
            asked = page + got;
        }
    }

    private int runFrom(long page) {
        long end = Math.min(page + MOST, regions.endPage(regions.regionOf(page)));
        long at = page + 1;
        while (at < end && dirty.isMarked(at)) {
            at++;
        }
        return (int) (at - page);
    }
}
