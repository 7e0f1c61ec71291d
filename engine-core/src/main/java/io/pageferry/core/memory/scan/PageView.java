package io.pageferry.core.memory.scan;

import io.pageferry.core.memory.MappedMemory;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Shows runs of pages to callers that only look at them. It finds a mapped page by its own
 * arithmetic (region base + index × 4096) and shares none with the writers, so a page that was put
 * in a wrong place is seen. Confined to one thread.
 *
 * <p>What is looked at is a copy. A file that is cut short, or a file system that is full, takes a
 * page away under whoever reads it: a copy throws {@link InternalError} then, while the JVM's
 * instructions for sums and comparisons would end the process (SIGBUS).
 */
public final class PageView {
    private static final int NONE = -1;
    private static final MemorySegment ZEROS =
            MemorySegment.ofArray(new long[PageGeometry.PAGE_SIZE / Long.BYTES]);

    private final PagedMemory memory;
    private final long[] regionEnds;
    /** Of each region; null where memory is not mapped. */
    private final MemorySegment[] windows;
    private final PageChecksum checksum = new PageChecksum();
    /** The pages shown; of mapped memory one at a time. */
    private final ByteBuffer copy;
    private final MemorySegment copied;
    private MemorySegment window;
    private long at;
    private int inCopy = NONE;

    /**
     * Makes a view that shows nothing yet.
     *
     * @param memory to look at; stays the caller's
     */
    public PageView(PagedMemory memory) {
        this.memory = memory;
        List<Region> regions = memory.regions().regions();
        this.regionEnds = new long[regions.size()];
        long pages = 0;
        for (Region region : regions) {
            pages += region.pages();
            regionEnds[region.id()] = pages;
        }
        this.windows = memory instanceof MappedMemory mapped ? regions.stream()
                .map(region -> mapped.window(region.id())).toArray(MemorySegment[]::new) : null;
        this.copy = ByteBuffer.allocateDirect(
                PageGeometry.PAGE_SIZE * (windows == null ? PagedMemory.RUN_PAGES : 1));
        this.copied = MemorySegment.ofBuffer(copy);
    }

    /**
     * Shows a run of pages, none of which is a hole that must not be read. What was shown before is
     * gone.
     *
     * @param page global index of the first
     * @param most at most so many, ≥ 1
     * @return pages shown, fewer where the region ends or a view holds no more; 0 when the memory
     *         has the first not yet: ask again
     */
    public int show(long page, int most) {
        int region = 0;
        while (page >= regionEnds[region]) {
            region++;
        }
        int count = (int) Math.min(Math.min(most, PagedMemory.RUN_PAGES),
                regionEnds[region] - page);
        if (windows == null) {
            return memory.read(page, count, copied, 0);
        }
        long start = region == 0 ? 0 : regionEnds[region - 1];
        window = windows[region];
        at = PageGeometry.bytesOf(page - start);
        inCopy = NONE;
        return count;
    }

    /**
     * Sums a page.
     *
     * @param index of the pages shown, from 0
     * @return its CRC32C
     */
    public int checksum(int index) {
        return checksum.of(copy, place(index));
    }

    /**
     * Looks at a page's bytes. Mostly the first word tells.
     *
     * @param index of the pages shown, from 0
     * @return whether it holds nothing but zeros
     */
    public boolean isZero(int index) {
        if (windows != null && inCopy != index && window.get(ValueLayout.JAVA_LONG_UNALIGNED,
                at + PageGeometry.bytesOf(index)) != 0) {
            return false;
        }
        return isZero(copied, place(index));
    }

    /** Ends at the first word that is not zero. */
    static boolean isZero(MemorySegment memory, long at) {
        return MemorySegment.mismatch(memory, at, at + PageGeometry.PAGE_SIZE,
                ZEROS, 0, PageGeometry.PAGE_SIZE) == -1;
    }

    /** {@return memory that holds the pages shown, each at its {@link #place}} */
    public MemorySegment bytes() {
        return copied;
    }

    /**
     * Returns where a page's 4096 bytes are, the same until another one is asked for.
     *
     * @param index of the pages shown, from 0
     * @return offset in {@link #bytes}
     */
    public int place(int index) {
        if (windows == null) {
            return index * PageGeometry.PAGE_SIZE;
        }
        if (inCopy != index) {
            MemorySegment.copy(window, at + PageGeometry.bytesOf(index), copied, 0,
                    PageGeometry.PAGE_SIZE);
            inCopy = index;
        }
        return 0;
    }
}
