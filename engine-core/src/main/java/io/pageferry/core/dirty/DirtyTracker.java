package io.pageferry.core.dirty;

/**
 * Knows which pages the guest wrote since it was last asked.
 *
 * <p>The rule that carries everything (write, then mark; clear, then read): {@link #harvest} first
 * clears what it knows of a page and then reports it, and the caller reads the page only after
 * that. A page written while it is read is reported again by the next harvest.
 */
public interface DirtyTracker extends AutoCloseable {
    /**
     * Names the mechanism, as {@code --tracker} does.
     *
     * @return for example {@code marking} or {@code userfaultfd}
     */
    String name();

    /**
     * Arms the tracker: from its return on no write is missed. What was written before need not be
     * reported; the caller takes every page that is not a hole as dirty.
     *
     * @throws TrackerException when tracking is not possible; nothing is left armed
     */
    void start() throws TrackerException;

    /**
     * Moves what was written since the last harvest (or since {@link #start}) into a bitmap.
     * Reporting a page that was not written is allowed, missing one that was is not.
     *
     * @param into receives marks; keeps every mark that it holds
     * @throws TrackerException when the scan failed; marks may then be lost, and the caller must
     *                          take every page as dirty
     */
    void harvest(DirtyBitmap into) throws TrackerException;

    /**
     * The same for a guest that stands still, once, behind everything that can still change its
     * memory. Reports also what a tracker cannot know while the guest runs, or only at a price: a
     * page that lost its storage and was read since, which no store ever touched.
     *
     * @param into receives marks; keeps every mark that it holds
     * @throws TrackerException as {@link #harvest}
     */
    default void harvestPaused(DirtyBitmap into) throws TrackerException {
        harvest(into);
    }

    /**
     * Returns whether a page that was sent with content may be a hole now, and was not reported.
     * Its caller then compares the holes, which takes some 50 ns a page of the guest's downtime.
     *
     * @return false after a paused harvest only where storage cannot have been taken away unseen
     */
    default boolean mayMissHoles() {
        return true;
    }

    /**
     * Returns whether it finds writes by their content, page by page.
     *
     * @return false for a tracker that hears of writes, in granules of the memory
     */
    default boolean comparesContents() {
        return false;
    }

    /** Stops tracking and leaves no trace in the guest. Idempotent; may be called unarmed. */
    @Override
    void close();
}
