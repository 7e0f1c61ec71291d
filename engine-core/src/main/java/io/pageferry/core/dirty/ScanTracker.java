package io.pageferry.core.dirty;

import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.memory.scan.SentHashes;
import java.lang.foreign.MemorySegment;

/**
 * Finds written pages by their content: each harvest reads every page that is not a hole and
 * compares a 64-bit hash with that of the bytes that were sent last. It needs nothing of the guest
 * or the kernel and is right under every writer, whatever it writes through; the price is one
 * reading of the whole guest for each harvest, the last two of which fall into the downtime.
 *
 * <p>A page written while it is read may be taken for either version; it differs from what was sent
 * at the next harvest, and during the last nobody writes. A page that was sent with content and is
 * a hole now is not looked at: reading would allocate it, and the holes are compared by who asks
 * the tracker.
 *
 * <p>8 B a page off-heap, in chunks of 512 KiB for 256 MiB of guest, each taken when a page in it
 * is first sent with content. Confined to one thread.
 */
public final class ScanTracker implements DirtyTracker, SentPages {
    private final GuestMemory memory;
    private final RegionTable regions;
    private final MemorySegment[] windows;
    private final SentHashes hashes;

    /**
     * Makes an unarmed tracker.
     *
     * @param memory read at each harvest; stays the caller's
     */
    public ScanTracker(GuestMemory memory) {
        this.memory = memory;
        this.regions = memory.regions();
        this.windows = regions.regions().stream().map(region -> memory.window(region.id()))
                .toArray(MemorySegment[]::new);
        this.hashes = new SentHashes(regions.pageCount());
    }

    @Override
    public String name() {
        return "scan";
    }

    @Override
    public void start() {
        hashes.close();
    }

    @Override
    public void sent(long page, MemorySegment bytes, long at) {
        hashes.set(page, bytes, at);
    }

    @Override
    public void sentZero(long page) {
        hashes.setZero(page);
    }

    @Override
    public void harvest(DirtyBitmap into) {
        long end = regions.pageCount();
        for (long at = memory.nextData(0); at < end; at = memory.nextData(at)) {
            int region = regions.regionOf(at);
            long hole = Math.min(memory.nextHole(at), regions.endPage(region));
            scan(region, at, hole, into);
            at = hole;
        }
    }

    @Override
    public void close() {
        hashes.close();
    }

    /** Pages that are dirty anyway are not read: whatever they hold is sent. */
    private void scan(int region, long first, long end, DirtyBitmap into) {
        for (long page = into.nextUnmarked(first); page < end;
                page = into.nextUnmarked(page + 1)) {
            if (hashes.differs(page, windows[region], regions.offsetInRegion(region, page))) {
                into.mark(page);
            }
        }
    }
}
