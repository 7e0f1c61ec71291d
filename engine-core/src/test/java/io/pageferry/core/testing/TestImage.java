package io.pageferry.core.testing;

import io.pageferry.core.memory.MemoryImage;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/**
 * An image in memory, with holes: a page whose bytes are poison. Whoever writes a hole gives it
 * storage; whoever reads one gets poison, and with it a digest that nobody sent. Confined to one
 * thread, but for the windows.
 */
public class TestImage implements MemoryImage, AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final RegionTable regions;
    private final MemorySegment[] windows;
    private int flushes;

    /**
     * Makes an image that is one hole.
     *
     * @param regions its layout
     */
    public TestImage(RegionTable regions) {
        this.regions = regions;
        this.windows = new MemorySegment[regions.regions().size()];
        for (int i = 0; i < windows.length; i++) {
            windows[i] = arena.allocate(regions.region(i).size(), PageGeometry.PAGE_SIZE);
        }
        punch(0, regions.pageCount());
    }

    /**
     * Leaves bytes as of an earlier use in some pages.
     *
     * @param random chooses pages and bytes
     * @param percent of the pages
     */
    public void dirty(Random random, int percent) {
        for (long page = 0; page < regions.pageCount(); page++) {
            if (random.nextInt(100) < percent) {
                byte[] stale = new byte[PageGeometry.PAGE_SIZE];
                random.nextBytes(stale);
                write(page, stale);
            }
        }
    }

    /**
     * Writes a page by no road that the engine knows.
     *
     * @param page  global index
     * @param bytes 4096 bytes
     */
    public void write(long page, byte[] bytes) {
        int region = regions.regionOf(page);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, windows[region],
                regions.offsetInRegion(region, page), PageGeometry.PAGE_SIZE);
    }

    /**
     * Reads a page as a guest would see it.
     *
     * @param page global index
     * @return its 4096 bytes, zeros for a hole
     */
    public byte[] read(long page) {
        byte[] bytes = new byte[PageGeometry.PAGE_SIZE];
        if (!isHole(page)) {
            int region = regions.regionOf(page);
            MemorySegment.copy(windows[region], regions.offsetInRegion(region, page),
                    MemorySegment.ofArray(bytes), 0, bytes.length);
        }
        return bytes;
    }

    @Override
    public boolean flush() {
        flushes++;
        return true;
    }

    /** {@return how often it was completed} */
    public int flushes() {
        return flushes;
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
    public long nextData(long page) {
        return next(page, false);
    }

    @Override
    public long nextHole(long page) {
        return next(page, true);
    }

    @Override
    public void clear(long page, long count) {
        punch(page, count);
    }

    /** Frees the memory. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    private void punch(long first, long count) {
        for (long page = first; page < first + count; page++) {
            int region = regions.regionOf(page);
            Poison.fill(windows[region], regions.offsetInRegion(region, page));
        }
    }

    private boolean isHole(long page) {
        int region = regions.regionOf(page);
        return Poison.is(windows[region], regions.offsetInRegion(region, page));
    }

    private long next(long from, boolean hole) {
        long page = from;
        while (page < regions.pageCount() && isHole(page) != hole) {
            page++;
        }
        return page;
    }
}
