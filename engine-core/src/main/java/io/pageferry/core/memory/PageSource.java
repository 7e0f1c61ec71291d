package io.pageferry.core.memory;

/**
 * Gives the pages of a guest at the source: a mapping, another process's memory, a block device.
 *
 * <p>The guest may write at any moment, so what is read twice may differ, and one page that is read
 * may be half old and half new. The tracker makes that right: it clears what it knows of a page,
 * and only then the page is asked for. So a source that reads ahead must not answer with bytes
 * that it read before it was asked. Its memory is its own and outlives the migration.
 */
public interface PageSource extends PagedMemory {
    /**
     * Returns whether answers take time, so that it is worth asking ahead.
     *
     * @return the same for the whole life of this memory
     */
    default boolean answersLater() {
        return false;
    }

    /**
     * Asks for a run without taking it: its bytes are not older than this call, until
     * {@link #forgetReads}.
     *
     * @param page  global index of the first
     * @param count pages, &ge; 1; all in one region
     * @return pages that are on their way now, from the first on; 0 when no more can be
     */
    default int ask(long page, int count) {
        return 0;
    }
}
