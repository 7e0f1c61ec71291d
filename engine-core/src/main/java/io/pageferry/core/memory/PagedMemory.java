package io.pageferry.core.memory;

import java.lang.foreign.MemorySegment;

/**
 * What the live memory of a source and the image of a target have in common: regions, windows on
 * their bytes, and knowledge of the holes.
 *
 * <p>A hole is a range that holds zeros and no storage. Never read one through a window: a shared
 * memory file allocates the page on that read.
 */
public interface PagedMemory {
    /**
     * Tells the layout.
     *
     * @return the regions; the same object for the whole life of this memory
     */
    RegionTable regions();

    /**
     * Gives a region's bytes. The segment is owned by this memory, valid until it is closed, and
     * accessible from every thread.
     *
     * @param region a region's id
     * @return its bytes, exactly {@link Region#size()} long
     */
    MemorySegment window(int region);

    /**
     * Finds data without touching any page. May answer a page that is all zero, never passes over
     * one that is not.
     *
     * @param page global index, 0 … pageCount
     * @return the first page ≥ {@code page} that may hold data, or pageCount when there is none
     */
    long nextData(long page);

    /**
     * Finds a hole without touching any page.
     *
     * @param page global index, 0 … pageCount
     * @return the first page ≥ {@code page} that is a hole, or pageCount when there is none
     */
    long nextHole(long page);
}
