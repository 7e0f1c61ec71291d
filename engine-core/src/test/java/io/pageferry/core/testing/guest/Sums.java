package io.pageferry.core.testing.guest;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The sum of every page of a guest as it was read, each through one stable copy. */
final class Sums implements AutoCloseable {
    private static final int NAMED = 8;
    private static final long DEADLINE_NANOS = 10_000_000_000L;

    private final PageSource memory;
    private final RegionTable regions;
    private final ChecksumTable table;
    private final PageChecksum checksum = new PageChecksum();
    private final ByteBuffer copy = ByteBuffer.allocateDirect(PageGeometry.PAGE_SIZE);
    private final MemorySegment copied = MemorySegment.ofBuffer(copy);

    Sums(PageSource memory) {
        this.memory = memory;
        this.regions = memory.regions();
        this.table = new ChecksumTable(regions.pageCount());
    }

    /** Reads one page, or takes it as zeros where it is a hole. */
    void read(long page) {
        read(page, false);
    }

    /** Reads one page, a hole too where that may be done. */
    void read(long page, boolean holesToo) {
        if (!holesToo && memory.nextData(page) != page) {
            table.set(page, PageChecksum.OF_ZEROS);
            return;
        }
        copy(memory, page, copied);
        table.set(page, checksum.of(copy, 0));
    }

    /** Copies a page; waits for one that is not there at once. */
    static void copy(PageSource memory, long page, MemorySegment into) {
        long start = System.nanoTime();
        while (memory.read(page, 1, into, 0) == PagedMemory.NOT_YET) {
            if (System.nanoTime() - start > DEADLINE_NANOS) {
                throw new AssertionError("page " + page + " was asked for and never came");
            }
            Thread.onSpinWait();
        }
    }

    /** Reads all pages, those first that are marked: they are the likeliest to change. */
    Sums readAll(DirtyBitmap first) {
        long pages = regions.pageCount();
        for (long page = first.nextMarked(0); page < pages; page = first.nextMarked(page + 1)) {
            read(page);
        }
        long next = 0;
        for (long page = memory.nextData(0); page < pages; page = memory.nextData(page + 1)) {
            table.setZero(next, page);
            if (!first.isMarked(page)) {
                read(page);
            }
            next = page + 1;
        }
        table.setZero(next, pages);
        return this;
    }

    Sums readAll() {
        try (DirtyBitmap none = new DirtyBitmap(regions.pageCount())) {
            return readAll(none);
        }
    }

    boolean isZero(long page) {
        return table.get(page) == PageChecksum.OF_ZEROS;
    }

    /** The bytes of the page that was read last. */
    MemorySegment lastRead() {
        return copied;
    }

    boolean equalTo(Sums other) {
        return table.digest() == other.table.digest();
    }

    /** The first pages in which two differ, of those that are no holes now. */
    List<Long> differing(Sums other) {
        List<Long> found = new ArrayList<>();
        if (equalTo(other)) {
            return found;
        }
        for (long page = memory.nextData(0); page < regions.pageCount() && found.size() < NAMED;
                page = memory.nextData(page + 1)) {
            if (table.get(page) != other.table.get(page)) {
                found.add(page);
            }
        }
        return found;
    }

    @Override
    public void close() {
        table.close();
    }
}
