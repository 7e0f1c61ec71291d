package io.pageferry.core.memory;

/**
 * The memory image that a target fills. Windows are writable. Not thread-safe against concurrent
 * writes to one page; different pages may be written by different threads.
 */
public interface MemoryImage extends PagedMemory {
    /**
     * Makes pages zero, without storage where the memory can do that.
     *
     * @param page  global index of the first
     * @param count how many; all in one region
     */
    void clear(long page, long count);
}
