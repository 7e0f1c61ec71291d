package io.pageferry.core.image;

import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.memory.scan.PageView;

/**
 * Sums the memory of a paused guest as it is, whatever was sent of it: what a tracker missed shows
 * as a page whose sum is not that of the target's. Holes are not read. Confined to one thread.
 */
public final class MemoryReader {
    private final PageSource memory;
    private final RegionTable regions;
    private final ChecksumTable into;
    private final PageView view;
    private long cursor;
    private long hole;

    /**
     * Makes a reader that read nothing yet.
     *
     * @param memory of a guest that writes nothing any more
     * @param into   gets the sum of every page; what it held before is replaced
     */
    public MemoryReader(PageSource memory, ChecksumTable into) {
        this.memory = memory;
        this.regions = memory.regions();
        this.into = into;
        this.view = new PageView(memory);
        memory.forgetReads();
    }

    /**
     * Reads some pages.
     *
     * @param most stop after so many
     * @return how many were read; fewer than {@code most} when all are, or the next is not there
     *         yet
     */
    public int step(int most) {
        int read = 0;
        while (read < most && !isDone()) {
            if (cursor >= hole) {
                long data = memory.nextData(cursor);
                into.setZero(cursor, data);
                cursor = data;
                hole = isDone() ? data : memory.nextHole(data);
                continue;
            }
            int shown = view.show(cursor, (int) Math.min(most - read, hole - cursor));
            if (shown == PagedMemory.NOT_YET) {
                break;
            }
            for (int i = 0; i < shown; i++) {
                into.set(cursor++, view.checksum(i));
            }
            read += shown;
        }
        return read;
    }

    /** {@return the first page that was not summed yet; the number of pages when all were} */
    public long cursor() {
        return cursor;
    }

    /** {@return whether every page was summed} */
    public boolean isDone() {
        return cursor == regions.pageCount();
    }
}
