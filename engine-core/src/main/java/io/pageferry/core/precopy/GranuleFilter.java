package io.pageferry.core.precopy;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.SentPages;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.memory.scan.DataRun;
import io.pageferry.core.memory.scan.PageView;
import io.pageferry.core.memory.scan.SentHashes;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Narrows what a tracker reports of regions whose granule is larger than a transfer page: of a
 * huge page that was written, only those pages of 4 KiB become dirty that differ from what was sent
 * of them. They are compared by a 64-bit hash of the very bytes that were sent; why not by their
 * checksum: docs/adr/0009.
 *
 * <p>The tracker has cleared what it knows of a page before the page is read here. So a write that
 * comes while or after it is read is reported once more, whichever version was compared. A page
 * that is dirty already is not read: it stays dirty, whatever it holds, and so do pages whose batch
 * was lost.
 *
 * <p>Off-heap: a bit for each page of the guest, and 8 B for each page of such a region that was
 * ever sent with content. Confined to one thread; owns its memory until closed.
 */
public final class GranuleFilter implements SentPages, AutoCloseable {
    /** One of a tracker's two harvests. */
    @FunctionalInterface
    public interface Harvest {
        /**
         * Moves what was written into a bitmap.
         *
         * @param dirty receives marks
         * @throws TrackerException when the scan failed
         */
        void into(DirtyBitmap dirty) throws TrackerException;
    }

    private final RegionTable regions;
    private final PageSource memory;
    private final PageView view;
    private final DataRun dataRun;
    private final DirtyBitmap reported;
    private final SentHashes hashes;

    private GranuleFilter(PageSource memory) {
        this.regions = memory.regions();
        this.memory = memory;
        this.view = new PageView(memory);
        this.dataRun = new DataRun(memory);
        this.reported = new DirtyBitmap(regions.pageCount());
        this.hashes = new SentHashes(regions.pageCount());
    }

    /**
     * Makes a filter where one is needed.
     *
     * @param memory  of the guest, read at each harvest; stays the caller's
     * @param tracker of the same pages
     * @return a filter; empty where every region's granule is a transfer page, or where the tracker
     *         compares contents itself
     */
    public static Optional<GranuleFilter> between(PageSource memory, DirtyTracker tracker) {
        boolean coarse = memory.regions().regions().stream().anyMatch(GranuleFilter::isCoarse);
        return coarse && !tracker.comparesContents()
                ? Optional.of(new GranuleFilter(memory)) : Optional.empty();
    }

    /**
     * Harvests through this filter.
     *
     * @param harvest of the tracker that {@link #between} was asked for, armed
     * @param into    receives marks; keeps every mark that it holds
     * @throws TrackerException when the scan failed: the caller must take every page as dirty
     */
    public void harvest(Harvest harvest, DirtyBitmap into) throws TrackerException {
        try {
            harvest.into(reported);
        } catch (TrackerException e) {
            // The caller sends every page, so the next harvest need not compare them all.
            reported.clearAll();
            throw e;
        }
        dataRun.forget();
        memory.forgetReads();
        reported.forEachRun((first, count) -> narrow(first, first + count, into));
        reported.clearAll();
    }

    private void narrow(long first, long end, DirtyBitmap into) {
        for (long page = first; page < end;) {
            int region = regions.regionOf(page);
            long stop = Math.min(end, regions.endPage(region));
            if (isCoarse(regions.region(region))) {
                compare(page, stop, into);
            } else {
                into.markRange(page, stop - page);
            }
            page = stop;
        }
    }

    /**
     * A hole is not read: that would give it storage. It holds zeros. What cannot be read at once
     * counts as changed.
     */
    private void compare(long first, long end, DirtyBitmap into) {
        long page = into.nextUnmarked(first);
        while (page < end) {
            long next = page + 1;
            if (dataRun.isHole(page)) {
                mark(page, hashes.isFilled(page), into);
            } else {
                long stop = Math.min(end, into.nextMarked(page));
                while (next < stop && next - page < PagedMemory.RUN_PAGES
                        && !dataRun.isHole(next)) {
                    next++;
                }
                next = page + compareRun(page, (int) (next - page), into);
            }
            page = into.nextUnmarked(next);
        }
    }

    private int compareRun(long page, int count, DirtyBitmap into) {
        int shown = view.show(page, count);
        for (int i = 0; i < shown; i++) {
            mark(page + i, hashes.differs(page + i, view.bytes(), view.place(i)), into);
        }
        mark(page, shown == PagedMemory.NOT_YET, into);
        return Math.max(1, shown);
    }

    private static void mark(long page, boolean changed, DirtyBitmap into) {
        if (changed) {
            into.mark(page);
        }
    }

    @Override
    public void sent(long page, MemorySegment bytes, long at) {
        if (isCoarse(regions.region(regions.regionOf(page)))) {
            hashes.set(page, bytes, at);
        }
    }

    @Override
    public void sentZero(long page) {
        hashes.setZero(page);
    }

    private static boolean isCoarse(Region region) {
        return region.granule() > PageGeometry.PAGE_SIZE;
    }

    /** Frees the memory. Idempotent. */
    @Override
    public void close() {
        reported.close();
        hashes.close();
    }
}
