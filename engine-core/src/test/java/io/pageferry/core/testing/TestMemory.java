package io.pageferry.core.testing;

import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * Off-heap memory of a guest with holes. Which pages have storage is kept in a bitmap; what stands
 * in a hole is poison, so a hole that is read through a window shows in what is sent
 * ({@link #isPoison}). Any thread.
 */
public final class TestMemory implements GuestMemory, AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final RegionTable regions;
    private final MemorySegment[] windows;
    private final BitSet data = new BitSet();

    /**
     * Makes memory that is one hole.
     *
     * @param regions its layout; at most 2³¹ pages
     */
    public TestMemory(RegionTable regions) {
        this.regions = regions;
        this.windows = new MemorySegment[regions.regions().size()];
        for (int i = 0; i < windows.length; i++) {
            windows[i] = arena.allocate(regions.region(i).size(), PageGeometry.PAGE_SIZE);
        }
        for (long page = 0; page < regions.pageCount(); page++) {
            punch(page);
        }
    }

    /**
     * Tells whether bytes are those of a hole.
     *
     * @param memory holds a page
     * @param offset where it begins
     * @return whether somebody read a hole to get them
     */
    public static boolean isPoison(MemorySegment memory, long offset) {
        return Poison.is(memory, offset);
    }

    /**
     * Writes a page, which has storage from then on.
     *
     * @param page  global index
     * @param bytes 4096 bytes
     */
    public synchronized void write(long page, byte[] bytes) {
        data.set((int) page);
        int region = regions.regionOf(page);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, windows[region],
                regions.offsetInRegion(region, page), PageGeometry.PAGE_SIZE);
    }

    /**
     * Gives a page's storage back: it is zero and a hole.
     *
     * @param page global index
     */
    public synchronized void punch(long page) {
        data.clear((int) page);
        int region = regions.regionOf(page);
        Poison.fill(windows[region], regions.offsetInRegion(region, page));
    }

    /**
     * Reads a page as its guest sees it.
     *
     * @param page global index
     * @return its 4096 bytes, zeros for a hole
     */
    public synchronized byte[] read(long page) {
        byte[] bytes = new byte[PageGeometry.PAGE_SIZE];
        if (data.get((int) page)) {
            int region = regions.regionOf(page);
            MemorySegment.copy(windows[region], regions.offsetInRegion(region, page),
                    MemorySegment.ofArray(bytes), 0, bytes.length);
        }
        return bytes;
    }

    /** {@return pages with storage} */
    public synchronized long dataPages() {
        return data.cardinality();
    }

    @Override
    public boolean readsFromAnyThread() {
        return true;
    }

    @Override
    public RegionTable regions() {
        return regions;
    }

    @Override
    public MemorySegment window(int region) {
        return windows[region];
    }

    @Override
    public synchronized long nextData(long page) {
        int found = data.nextSetBit((int) page);
        return found < 0 ? regions.pageCount() : found;
    }

    @Override
    public synchronized long nextHole(long page) {
        return Math.min(regions.pageCount(), data.nextClearBit((int) page));
    }

    /** Frees the memory. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
