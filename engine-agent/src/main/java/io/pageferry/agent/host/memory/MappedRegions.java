package io.pageferry.agent.host.memory;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.userfault.PagemapScan;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.MemoryImage;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Memory of a guest in files that are mapped here. Owns the mappings too until closed. */
public final class MappedRegions extends RegionFiles implements GuestMemory, MemoryImage {
    /**
     * Absent pages of a mapping that turn out to have storage before the file itself is asked: a
     * resident guest has hardly one, a mapping that was not read yet has nothing else.
     */
    private static final int ABSENT_TRIES = 16;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment[] windows;
    private PagemapScan own;

    /**
     * Maps every region.
     *
     * @param regions the layout
     * @param parts   one for each region; the files pass to this memory
     * @throws LinuxException when a mapping is refused; the files are closed then
     */
    public MappedRegions(RegionTable regions, List<Part> parts) throws LinuxException {
        super(regions, parts);
        this.windows = new MemorySegment[parts.size()];
        try {
            for (Region region : regions.regions()) {
                windows[region.id()] = map(region.id(), arena);
            }
        } catch (LinuxException e) {
            close();
            throw e;
        }
    }

    @Override
    public MemoryAccess access() {
        return MemoryAccess.MAPPED;
    }

    @Override
    public MemorySegment window(int region) {
        return windows[region];
    }

    @Override
    public void clear(long page, long count) {
        long end = page + count;
        // Writing zeros into a hole would give it storage. Page by page: most calls are for one,
        // and to look for the end of a run of data, a tmpfs walks all of it.
        for (long at = nextData(page); at < end; at = nextData(at + 1)) {
            int region = regions().regionOf(at);
            windows[region].asSlice(regions().offsetInRegion(region, at), PageGeometry.PAGE_SIZE)
                    .fill((byte) 0);
        }
    }

    @Override
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
        super.close();
        if (own != null) {
            own.close();
            own = null;
        }
    }

    /**
     * Looks for a hole with the page table's help. To find the end of data, a tmpfs walks all of it
     * (measured: 10 ms for 768 MiB, on a core that no other thread gets meanwhile); the page table
     * shows in half a millisecond where this mapping has no page, and no hole has one.
     */
    @Override
    long nextHoleIn(int region, long page) throws LinuxException {
        long end = regions().endPage(region);
        if (part(region).file().granule() > PageGeometry.PAGE_SIZE) {
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
        return at == end ? end : super.nextHoleIn(region, at);
    }

    /** The first page that may be a hole as far as the page table knows. */
    private synchronized long firstAbsent(int region, long page) {
        long first = regions().firstPage(region);
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
