package io.pageferry.agent.host.memory;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.userfault.PagemapScan;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.WatchedTracker;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.MemoryImage;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Memory of a guest in shared memory files: each region is a part of one file. Serves as live
 * memory at the source and as image at the target. Owns files and mappings until closed.
 */
public final class MappedRegions implements GuestMemory, MemoryImage, AutoCloseable {
    /**
     * Absent pages of a mapping that turn out to have storage before the file itself is asked: a
     * resident guest has hardly one, a mapping that was not read yet has nothing else.
     */
    private static final int ABSENT_TRIES = 16;

    private final Arena arena = Arena.ofShared();
    private final RegionTable regions;
    private final List<Part> parts;
    private final MemorySegment[] windows;
    private PagemapScan own;

    /**
     * Where a region lies.
     *
     * @param file   holds it
     * @param offset of its first byte, a multiple of its granule
     */
    public record Part(SharedMemory file, long offset) { }

    /**
     * Maps every region.
     *
     * @param regions the layout
     * @param parts   one for each region; the files pass to this memory
     * @throws LinuxException when a mapping is refused; the files are closed then
     */
    public MappedRegions(RegionTable regions, List<Part> parts) throws LinuxException {
        this.regions = regions;
        this.parts = List.copyOf(parts);
        this.windows = new MemorySegment[parts.size()];
        try {
            for (Region region : regions.regions()) {
                Part part = parts.get(region.id());
                windows[region.id()] = part.file().map(part.offset(), region.size(), arena);
            }
        } catch (LinuxException e) {
            close();
            throw e;
        }
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
        return next(page, true);
    }

    @Override
    public long nextHole(long page) {
        return next(page, false);
    }

    @Override
    public void clear(long page, long count) {
        long end = page + count;
        // Writing zeros into a hole would give it storage. Page by page: most calls are for one,
        // and to look for the end of a run of data, a tmpfs walks all of it.
        for (long at = nextData(page); at < end; at = nextData(at + 1)) {
            int region = regions.regionOf(at);
            windows[region].asSlice(regions.offsetInRegion(region, at), PageGeometry.PAGE_SIZE)
                    .fill((byte) 0);
        }
    }

    /**
     * Counts what is not a hole.
     *
     * @return bytes with storage
     */
    public long dataBytes() {
        long pages = 0;
        long end = regions.pageCount();
        for (long at = nextData(0); at < end; at = nextData(at)) {
            long hole = nextHole(at);
            pages += hole - at;
            at = hole;
        }
        return PageGeometry.bytesOf(pages);
    }

    /**
     * Completes a tracker of stores for memory that others can change too.
     *
     * @param stores tracks this memory; unarmed, owned by what is returned
     * @param deaf   whether memory without a name, of whose changes nothing is heard, may also be
     *               written by a descriptor ({@code write(2)} to a memfd)
     * @return finds what changes without a store; to be closed before this memory
     */
    public WatchedTracker watched(DirtyTracker stores, boolean deaf) {
        return new WatchedTracker(stores, new StorageWatch(
                parts.stream().map(Part::file).toList(), deaf), this);
    }

    /**
     * Gives every page storage, so that the first write of each costs nothing.
     *
     * @throws LinuxException when the host has not enough memory
     */
    public void populate() throws LinuxException {
        for (MemorySegment window : windows) {
            SharedMemory.populate(window);
        }
    }

    /** Ends mappings and closes files. Idempotent. */
    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
        parts.forEach(part -> part.file().close());
        if (own != null) {
            own.close();
            own = null;
        }
    }

    /** Searches region by region: holes of one file do not matter to the next. */
    private long next(long page, boolean data) {
        long at = page;
        while (at < regions.pageCount()) {
            int region = regions.regionOf(at);
            long found = nextIn(region, at, data);
            if (found < regions.endPage(region)) {
                return found;
            }
            at = regions.endPage(region);
        }
        return regions.pageCount();
    }

    private long nextIn(int region, long page, boolean data) {
        try {
            return data ? nextDataIn(region, page) : nextHoleIn(region, page);
        } catch (LinuxException e) {
            throw new UncheckedIOException(e);
        }
    }

    private long nextDataIn(int region, long page) throws LinuxException {
        Part part = parts.get(region);
        long found = part.file().nextData(offsetOf(region, page));
        // The end of the file is no data, and need not be the end of a page.
        long pages = found == part.file().size() ? PageGeometry.pagesFor(found - part.offset())
                : Math.max(0, found - part.offset()) >>> PageGeometry.PAGE_SHIFT;
        return Math.max(page, regions.firstPage(region) + pages);
    }

    /**
     * Looks for a hole with the page table's help. To find the end of data, a tmpfs walks all of it
     * (measured: 10 ms for 768 MiB, on a core that no other thread gets meanwhile); the page table
     * shows in half a millisecond where this mapping has no page, and no hole has one.
     */
    private long nextHoleIn(int region, long page) throws LinuxException {
        long end = regions.endPage(region);
        if (parts.get(region).file().granule() > PageGeometry.PAGE_SIZE) {
            return end; // hugetlbfs knows no holes, and the page table's would all be asked for
        }
        long at = page;
        for (int i = 0; i < ABSENT_TRIES && at < end; i++) {
            at = firstAbsent(region, at);
            if (at == end || nextDataIn(region, at) > at) {
                return at;
            }
            at++;
        }
        if (at == end) {
            return end;
        }
        Part part = parts.get(region);
        long found = part.file().nextHole(offsetOf(region, at)) - part.offset();
        return Math.max(at, regions.firstPage(region)
                + PageGeometry.pagesFor(Math.max(0, found)));
    }

    private long offsetOf(int region, long page) {
        return parts.get(region).offset() + regions.offsetInRegion(region, page);
    }

    /** The first page that may be a hole as far as the page table knows. */
    private synchronized long firstAbsent(int region, long page) {
        long first = regions.firstPage(region);
        long base = windows[region].address();
        try {
            if (own == null) {
                own = PagemapScan.ofSelf();
            }
            long found = own.firstAbsent(base + PageGeometry.bytesOf(page - first),
                    base + windows[region].byteSize());
            return first + ((found - base) >>> PageGeometry.PAGE_SHIFT);
        } catch (LinuxException e) {
            return page; // the file knows its holes too, only slower
        }
    }
}
