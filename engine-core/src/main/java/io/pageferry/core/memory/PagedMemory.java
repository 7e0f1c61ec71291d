package io.pageferry.core.memory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;

/**
 * What {@link PageSource} and {@link PageStore} have in common: the layout, the holes, and reading
 * pages. A hole is a range that holds zeros and no storage.
 *
 * <p><b>Threads.</b> {@link #regions} may be called from every thread, everything else from one
 * thread at a time, the migration's, unless {@link #readsFromAnyThread}. No call waits for a
 * device; {@link #read} returns instead that the pages are not there yet.
 *
 * <p><b>Failures.</b> Memory that cannot be reached throws {@link UncheckedIOException},
 * whose cause names the page and the reason. The migration then fails, and the guest goes on at the
 * source; {@link GoneException} where it ended.
 */
public interface PagedMemory {
    /**
     * Says that a guest ended, and its memory with it: memory that is not in a file, but its
     * process's own. At the source nothing is left to be moved then.
     */
    final class GoneException extends UncheckedIOException {
        private static final long serialVersionUID = 1L;

        /**
         * Makes the exception.
         *
         * @param what  who ended, for people
         * @param cause how that was noticed
         */
        public GoneException(String what, IOException cause) {
            super(new IOException(what, cause));
        }
    }

    /** Answer of {@link #read}: the pages were asked for and can be taken later. */
    int NOT_YET = 0;

    /**
     * Most pages that the engine asks for or puts at once: 256 KiB, beyond which a system call
     * copies no faster (docs/BENCHMARKS.md).
     */
    int RUN_PAGES = 64;

    /**
     * Returns the layout.
     *
     * @return the regions; the same object for the whole life of this memory
     */
    RegionTable regions();

    /**
     * Copies a run of pages. The bytes are never older than the first call that asked for them
     * since the last {@link #forgetReads}. Never call it for a hole, unless {@link #readsHoles}:
     * shared memory gives a mapped page storage on that read.
     *
     * @param page  global index of the first
     * @param count most pages to copy, ≥ 1; all in one region
     * @param into  receives them, the caller's; not used after this call returns
     * @param at    offset there of the first page
     * @return pages copied from the first on, 1 … {@code count}; or {@link #NOT_YET}: nothing was
     *         copied, the run was asked for, and the same call later takes it
     */
    int read(long page, int count, MemorySegment into, long at);

    /**
     * Drops what was asked for and not taken: the next {@link #read} gives bytes that are younger
     * than this call. A memory that always answers at once has nothing to drop.
     */
    default void forgetReads() {
        // Nothing was asked for.
    }

    /**
     * Returns whether a hole can be read as zeros and stays a hole. Nobody looks for holes before
     * reading then.
     *
     * @return the same for the whole life of this memory
     */
    default boolean readsHoles() {
        return false;
    }

    /**
     * Returns whether several threads may call {@link #read}, {@link #nextData} and
     * {@link #nextHole} at the same time.
     *
     * @return the same for the whole life of this memory
     */
    default boolean readsFromAnyThread() {
        return false;
    }

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
