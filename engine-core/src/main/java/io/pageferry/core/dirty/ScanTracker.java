package io.pageferry.core.dirty;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageHash;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

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
    private static final int CHUNK_SHIFT = 16;
    private static final int CHUNK_PAGES = 1 << CHUNK_SHIFT;
    private static final MemorySegment ZEROS =
            MemorySegment.ofArray(new long[PageGeometry.PAGE_SIZE / Long.BYTES]);

    private final GuestMemory memory;
    private final RegionTable regions;
    private final MemorySegment[] windows;
    private final MemorySegment[] chunks;
    private Arena arena;

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
        this.chunks = new MemorySegment[
                Math.toIntExact((regions.pageCount() >>> CHUNK_SHIFT) + 1)];
    }

    @Override
    public String name() {
        return "scan";
    }

    @Override
    public void start() {
        close();
        arena = Arena.ofShared();
    }

    @Override
    public void sent(long page, MemorySegment bytes, long at) {
        int index = (int) (page >>> CHUNK_SHIFT);
        if (chunks[index] == null) {
            chunks[index] = arena.allocate((long) CHUNK_PAGES * Long.BYTES, Long.BYTES);
        }
        chunks[index].setAtIndex(JAVA_LONG, page & CHUNK_PAGES - 1, PageHash.of(bytes, at));
    }

    @Override
    public void sentZero(long page) {
        MemorySegment chunk = chunks[(int) (page >>> CHUNK_SHIFT)];
        if (chunk != null) {
            chunk.setAtIndex(JAVA_LONG, page & CHUNK_PAGES - 1, PageHash.NONE);
        }
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
        Arrays.fill(chunks, null);
        if (arena != null) {
            arena.close();
            arena = null;
        }
    }

    /** Pages that are dirty anyway are not read: whatever they hold is sent. */
    private void scan(int region, long first, long end, DirtyBitmap into) {
        for (long page = into.nextUnmarked(first); page < end;
                page = into.nextUnmarked(page + 1)) {
            if (differs(page, windows[region], regions.offsetInRegion(region, page))) {
                into.mark(page);
            }
        }
    }

    /** A page without a hash is zero at the target, sent so or never sent. */
    private boolean differs(long page, MemorySegment window, long at) {
        MemorySegment chunk = chunks[(int) (page >>> CHUNK_SHIFT)];
        long sent = chunk == null ? PageHash.NONE
                : chunk.getAtIndex(JAVA_LONG, page & CHUNK_PAGES - 1);
        if (sent != PageHash.NONE) {
            return PageHash.of(window, at) != sent;
        }
        return MemorySegment.mismatch(window, at, at + PageGeometry.PAGE_SIZE,
                ZEROS, 0, PageGeometry.PAGE_SIZE) != -1;
    }
}
