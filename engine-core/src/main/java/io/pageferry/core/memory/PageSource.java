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
}
