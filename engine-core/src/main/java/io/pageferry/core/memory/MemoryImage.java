package io.pageferry.core.memory;

import java.lang.foreign.MemorySegment;

/**
 * The memory image that a target fills, where it is mapped. Windows are writable. Not thread-safe
 * against concurrent writes to one page; different pages may be written by different threads.
 */
public interface MemoryImage extends PageStore, MappedMemory {
    @Override
    default void put(long page, int count, MemorySegment from, long at) {
        RegionTable regions = regions();
        int region = regions.regionOf(page);
        MemorySegment.copy(from, at, window(region), regions.offsetInRegion(region, page),
                PageGeometry.bytesOf(count));
    }
}
