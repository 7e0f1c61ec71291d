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
 * Shows single pages to callers that only look at them. It finds a mapped page by its own
 * arithmetic (region base + index × 4096) and shares none with the writers, so a page that was put
 * in a wrong place is seen. Confined to one thread.
 *
 * <p>What is looked at is a copy. A file that is cut short, or a file system that is full, takes a
 * page away under whoever reads it: a copy throws {@link InternalError} then, while the JVM's
 * instructions for sums and comparisons would end the process (SIGBUS).
 */
public final class PageView {
    private static final MemorySegment ZEROS =
            MemorySegment.ofArray(new long[PageGeometry.PAGE_SIZE / Long.BYTES]);

    private final PagedMemory memory;
    private final long[] regionEnds;
    /** Of each region; null where memory is not mapped. */
    private final MemorySegment[] windows;
    private final PageChecksum checksum = new PageChecksum();
    private final ByteBuffer copy = ByteBuffer.allocateDirect(PageGeometry.PAGE_SIZE);
    private final MemorySegment copied = MemorySegment.ofBuffer(copy);
    private MemorySegment window;
    private long at;
    private boolean isCopied;

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
    }

    /**
     * Shows a page, which is no hole.
     *
     * @param page global index
     * @return false when the memory has it not yet: ask again
     */
    public boolean show(long page) {
        isCopied = windows == null;
        if (isCopied) {
            return memory.read(page, 1, copied, 0) != PagedMemory.NOT_YET;
        }
        int region = 0;
        while (page >= regionEnds[region]) {
            region++;
        }
        long start = region == 0 ? 0 : regionEnds[region - 1];
        window = windows[region];
        at = (page - start) * PageGeometry.PAGE_SIZE;
        return true;
    }

    /** {@return CRC32C of the page shown} */
    public int checksum() {
        bytes();
        return checksum.of(copy, 0);
    }

    /** {@return whether the page shown holds nothing but zeros, by its bytes} */
    public boolean isZero() {
        // Mostly the first word tells.
        return (isCopied || window.get(ValueLayout.JAVA_LONG_UNALIGNED, at) == 0)
                && isZero(bytes(), 0);
    }

    /** Ends at the first word that is not zero. */
    static boolean isZero(MemorySegment memory, long at) {
        return MemorySegment.mismatch(memory, at, at + PageGeometry.PAGE_SIZE,
                ZEROS, 0, PageGeometry.PAGE_SIZE) == -1;
    }

    /** {@return the 4096 bytes of the page shown, the same until another one is shown} */
    public MemorySegment bytes() {
        if (!isCopied) {
            MemorySegment.copy(window, at, copied, 0, PageGeometry.PAGE_SIZE);
            isCopied = true;
        }
        return copied;
    }
}
