package io.pageferry.core.memory;

import java.lang.foreign.MemorySegment;

/**
 * Takes the pages of a guest at the target: an image that is mapped, a file, a block device.
 *
 * <p>What was put can be read back at once by {@link #read}, from the same place where the guest
 * will read it, not from a copy that was kept aside: reading back is what proves the image. The
 * store never checks what the bytes mean. Its memory is its own and outlives the migration.
 */
public interface PageStore extends PagedMemory {
    /**
     * Says whether it takes a batch more without waiting for a device.
     *
     * @return false while what was put is still to be written; nothing needs to be put until then
     */
    default boolean hasRoom() {
        return true;
    }

    /**
     * Puts a run of pages. A store that writes later copies the bytes.
     *
     * @param page  global index of the first
     * @param count pages, ≥ 1; all in one region
     * @param from  holds them, the caller's; not used after this call returns
     * @param at    offset there of the first page
     */
    void put(long page, int count, MemorySegment from, long at);

    /**
     * Makes pages zero, without storage where the memory can do that.
     *
     * @param page  global index of the first
     * @param count how many; all in one region
     */
    void clear(long page, long count);

    /**
     * Brings everything that was put or cleared to where the guest will find it, to survive a
     * failure of power. Called when the image was read back and is what the source sent; where the
     * link is lost meanwhile, more may be put.
     *
     * @return true once it is there; false while it is under way: ask again
     */
    default boolean flush() {
        return true;
    }
}
