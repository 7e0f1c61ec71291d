package io.pageferry.core.dirty;

import java.io.IOException;

/**
 * Hears whether the guest's memory was changed otherwise than by stores: its file was written by a
 * descriptor, or storage was taken away (a balloon, MADV_REMOVE). No tracker of stores sees that.
 * Used by the migration's one thread.
 */
public interface ChangeWatch extends AutoCloseable {
    /**
     * Begins to listen: from its return on every change is told, but in silent regions.
     *
     * @throws IOException when that is not possible, with what to do; nothing is left open
     */
    void start() throws IOException;

    /**
     * Returns whether there are changes of which nothing is ever heard: every look at the memory
     * has to compare it.
     *
     * @return true where it is written by ways that leave no sign
     */
    boolean isDeaf();

    /**
     * Returns whether something was changed since it was asked last. A change that is still under
     * way is told when it is done. May be true without a change, never false after one.
     *
     * @return true where any page of a region that is not silent may hold something else
     * @throws IOException when that cannot be told: every page may have changed
     */
    boolean heard() throws IOException;

    /**
     * Returns whether storage can be taken from a region without a sign of it, and nothing else
     * can be done to it so.
     *
     * @param region index in the region table
     * @return true where its pages have to be looked at once the guest stands still
     */
    boolean isSilent(int region);

    /** Stops listening. Idempotent; may be called before {@link #start}. */
    @Override
    void close();
}
