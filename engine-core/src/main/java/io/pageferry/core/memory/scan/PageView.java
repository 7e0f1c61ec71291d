package io.pageferry.core.memory.scan;

import io.pageferry.core.memory.MappedMemory;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.Region;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Shows single pages to callers that only look at them: where they lie when the memory is mapped,
 * else by a copy. It finds a mapped page by its own arithmetic (region base + index × 4096) and
 * shares none with the writers, so a page that was put in a wrong place is seen. Confined to one
 * thread.
 */
public final class PageView {
    private static final MemorySegment ZEROS =
            MemorySegment.ofArray(new long[PageGeometry.PAGE_SIZE / Long.BYTES]);

    private final PagedMemory memory;
    private final long[] regionEnds;
    /** Windows of each region, cut for int-indexed code; null where memory is not mapped. */
    private final ByteBuffer[][] cuts;
    private final MemorySegment[][] segments;
    private final PageChecksum checksum = new PageChecksum();
    private final ByteBuffer copy;
    private final MemorySegment copied;
    private ByteBuffer buffer;
    private MemorySegment segment;
    private int at;

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
        boolean mapped = memory instanceof MappedMemory;
        this.cuts = mapped ? new ByteBuffer[regions.size()][] : null;
        this.segments = mapped ? new MemorySegment[regions.size()][] : null;
        this.copy = mapped ? null : ByteBuffer.allocateDirect(PageGeometry.PAGE_SIZE);
        this.copied = mapped ? null : MemorySegment.ofBuffer(copy);
        if (memory instanceof MappedMemory windows) {
            regions.forEach(region -> cut(windows.window(region.id()), region));
        }
    }

    /**
     * Shows a page, which is no hole.
     *
     * @param page global index
     * @return false when the memory has it not yet: ask again
     */
    public boolean show(long page) {
        if (cuts == null) {
            buffer = copy;
            segment = copied;
            at = 0;
            return memory.read(page, 1, copied, 0) != PagedMemory.NOT_YET;
        }
        int region = 0;
        while (page >= regionEnds[region]) {
            region++;
        }
        long start = region == 0 ? 0 : regionEnds[region - 1];
        long offset = (page - start) * PageGeometry.PAGE_SIZE;
        int cut = (int) (offset / PageGeometry.WINDOW_BYTES);
        buffer = cuts[region][cut];
        segment = segments[region][cut];
        at = (int) (offset % PageGeometry.WINDOW_BYTES);
        return true;
    }

    /** {@return CRC32C of the page shown} */
    public int checksum() {
        return checksum.of(buffer, at);
    }

    /** {@return whether the page shown holds nothing but zeros, by its bytes} */
    public boolean isZero() {
        return isZero(segment, at);
    }

    /** Ends at the first word that is not zero. */
    static boolean isZero(MemorySegment memory, long at) {
        return MemorySegment.mismatch(memory, at, at + PageGeometry.PAGE_SIZE,
                ZEROS, 0, PageGeometry.PAGE_SIZE) == -1;
    }

    /** {@return what holds the page shown; its bytes may change while they are looked at} */
    public MemorySegment segment() {
        return segment;
    }

    /** {@return offset of the page shown in {@link #segment}} */
    public long offset() {
        return at;
    }

    private void cut(MemorySegment window, Region region) {
        long size = region.size();
        int count = Math.toIntExact(Math.ceilDiv(size, PageGeometry.WINDOW_BYTES));
        ByteBuffer[] buffers = new ByteBuffer[count];
        MemorySegment[] slices = new MemorySegment[count];
        for (int i = 0; i < count; i++) {
            long from = i * PageGeometry.WINDOW_BYTES;
            slices[i] = window.asSlice(from, Math.min(PageGeometry.WINDOW_BYTES, size - from));
            buffers[i] = slices[i].asByteBuffer();
        }
        cuts[region.id()] = buffers;
        segments[region.id()] = slices;
    }
}
