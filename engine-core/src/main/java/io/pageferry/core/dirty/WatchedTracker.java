package io.pageferry.core.dirty;

import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.memory.scan.DataRun;
import io.pageferry.core.memory.scan.PageView;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/**
 * Adds to a tracker of stores what changes without one. A page whose storage was taken away and
 * that was read since holds zeros, has storage, and was never written.
 *
 * <p>Where a {@link ChangeWatch} hears of a change, which says nothing of where: the first time,
 * every page counts as written; from then on the hash of each page is kept as it is sent, and at a
 * later sign all pages are compared, as {@link ScanTracker} does. So a guest with a busy balloon
 * converges. For a deaf watch, that is so from the first page on. In a silent region a page can
 * lose its content, but not get another one: once the guest stands still, those that were sent with
 * content are looked at for zeros. That mostly ends at a page's first word.
 *
 * <p>A bit a page, where there is a silent region; the hashes of {@link ScanTracker} from the first
 * sign on. Confined to one thread; owns both.
 */
public final class WatchedTracker implements DirtyTracker, SentPages {
    private final DirtyTracker stores;
    private final ChangeWatch watch;
    private final PageSource memory;
    private final RegionTable regions;
    private final PageView view;
    private final ScanTracker contents;
    private final boolean looks;
    private final DirtyBitmap filled;
    private boolean comparing;
    /** Whether the watch ever heard of a change, or cannot tell. */
    private boolean told;

    /**
     * Makes an unarmed tracker.
     *
     * @param stores sees every store to the memory; owned from now on
     * @param watch  hears of other changes; owned from now on
     * @param memory the same memory; stays the caller's
     */
    public WatchedTracker(DirtyTracker stores, ChangeWatch watch, PageSource memory) {
        this.stores = stores;
        this.watch = watch;
        this.memory = memory;
        this.regions = memory.regions();
        this.view = new PageView(memory);
        this.contents = new ScanTracker(memory);
        this.looks = IntStream.range(0, regions.regions().size()).anyMatch(watch::isSilent);
        this.filled = new DirtyBitmap(looks ? regions.pageCount() : 1);
    }

    @Override
    public String name() {
        return stores.name();
    }

    @Override
    public void start() throws TrackerException {
        comparing = watch.isDeaf();
        contents.start();
        filled.clearAll();
        told = false;
        try {
            watch.start();
        } catch (IOException e) {
            throw new TrackerException("tracking cannot start: " + e.getMessage(), e);
        }
        boolean armed = false;
        try {
            stores.start();
            armed = true;
        } finally {
            if (!armed) {
                watch.close();
            }
        }
    }

    @Override
    public void harvest(DirtyBitmap into) throws TrackerException {
        // Asked before anything is read: what changes behind this is told the next time.
        boolean heard = heard();
        stores.harvest(into);
        if (heard && comparing) {
            contents.harvest(into);
        } else if (heard) {
            comparing = true;
            // What was data and is a hole now, the caller of the tracker finds by itself.
            DataRun.forEach(memory, into::markRange);
        }
    }

    private boolean heard() throws TrackerException {
        try {
            boolean heard = watch.heard();
            told |= heard;
            return heard || watch.isDeaf();
        } catch (IOException e) {
            told = true;
            throw new TrackerException("every page counts as written: " + e.getMessage(), e);
        }
    }

    @Override
    public void harvestPaused(DirtyBitmap into) throws TrackerException {
        harvest(into);
        if (!looks || watch.isDeaf()) {
            return;
        }
        memory.forgetReads();
        long end = regions.pageCount();
        long page = filled.nextMarked(0);
        while (page < end) {
            long data = memory.nextData(page);
            long hole = memory.nextHole(data);
            page = filled.nextMarked(data);
            while (page < hole) {
                long stop = Math.min(hole, filled.nextUnmarked(page));
                page = filled.nextMarked(page + look(page, stop - page, into));
            }
        }
    }

    /** Marks those that hold zeros, of pages that are no holes. What cannot be read at once may. */
    private int look(long page, long most, DirtyBitmap into) {
        int shown = view.show(page, (int) Math.min(PagedMemory.RUN_PAGES, most));
        if (shown == PagedMemory.NOT_YET) {
            into.mark(page);
            return 1;
        }
        for (int i = 0; i < shown; i++) {
            if (!into.isMarked(page + i) && view.isZero(i)) {
                into.mark(page + i);
            }
        }
        return shown;
    }

    @Override
    public boolean mayMissHoles() {
        return told || looks || watch.isDeaf();
    }

    @Override
    public void sent(long page, MemorySegment bytes, long at) {
        if (looks && watch.isSilent(regions.regionOf(page))) {
            filled.mark(page);
        }
        if (comparing) {
            contents.sent(page, bytes, at);
        }
    }

    @Override
    public void sentZero(long page) {
        if (looks) {
            filled.clear(page);
        }
        if (comparing) {
            contents.sentZero(page);
        }
    }

    @Override
    public void close() {
        watch.close();
        stores.close();
        contents.close();
        filled.close();
    }
}
