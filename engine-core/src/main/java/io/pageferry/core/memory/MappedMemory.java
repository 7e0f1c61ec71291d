package io.pageferry.core.memory;

import java.lang.foreign.MemorySegment;

/**
 * Memory that is mapped into this process. It answers at once, and a caller that only looks at a
 * page looks at it where it lies, without a copy.
 */
public interface MappedMemory extends PagedMemory {
    /**
     * Returns a region's bytes. The segment is owned by this memory, valid until it is closed, and
     * accessible from every thread.
     *
     * @param region a region's id
     * @return its bytes, exactly {@link Region#size()} long
     */
    MemorySegment window(int region);

    @Override
    default int read(long page, int count, MemorySegment into, long at) {
        RegionTable regions = regions();
        int region = regions.regionOf(page);
        MemorySegment.copy(window(region), regions.offsetInRegion(region, page), into, at,
                PageGeometry.bytesOf(count));
        return count;
    }
}
