package io.pageferry.core.image;

import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import java.nio.ByteBuffer;

/**
 * Sums the memory of a paused guest as it is, whatever was sent of it: what a tracker missed shows
 * as a page whose sum is not that of the target's. Holes are not read. Confined to one thread.
 */
public final class MemoryReader {
    private final GuestMemory memory;
    private final RegionTable regions;
    private final ChecksumTable into;
    private final PageChecksum checksum = new PageChecksum();
    private ByteBuffer window;
    private int windowRegion = -1;
    private long windowStart;
    private long cursor;
    private long hole;

    /**
     * Makes a reader that read nothing yet.
     *
     * @param memory of a guest that writes nothing any more
     * @param into   gets the sum of every page; what it held before is replaced
     */
    public MemoryReader(GuestMemory memory, ChecksumTable into) {
        this.memory = memory;
        this.regions = memory.regions();
        this.into = into;
    }

    /**
     * Reads some pages.
     *
     * @param most stop after so many
     * @return how many were read
     */
    public int step(int most) {
        int read = 0;
        while (read < most && !isDone()) {
            if (cursor >= hole) {
                long data = memory.nextData(cursor);
                into.setZero(cursor, data);
                cursor = data;
                hole = isDone() ? data : memory.nextHole(data);
            } else {
                into.set(cursor, sum(cursor));
                cursor++;
                read++;
            }
        }
        return read;
    }

    /** {@return whether every page was summed} */
    public boolean isDone() {
        return cursor == regions.pageCount();
    }

    private int sum(long page) {
        int region = regions.regionOf(page);
        long offset = regions.offsetInRegion(region, page);
        long start = offset - offset % PageGeometry.WINDOW_BYTES;
        if (window == null || windowRegion != region || windowStart != start) {
            long length = Math.min(PageGeometry.WINDOW_BYTES,
                    regions.region(region).size() - start);
            window = memory.window(region).asSlice(start, length).asByteBuffer();
            windowRegion = region;
            windowStart = start;
        }
        return checksum.of(window, (int) (offset - start));
    }
}
