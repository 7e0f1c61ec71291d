package io.pageferry.core.memory.scan;

import io.pageferry.core.memory.PagedMemory;

/**
 * Separates holes from data, page by page: it remembers the run around the last page asked for.
 * What it remembers grows old, so {@link #age} it before each piece of work, and {@link #forget} it
 * at the beginning of each round. Confined to one thread.
 *
 * <p>Looking for the end of a run of data is no cheap question: a tmpfs walks every page of it (10
 * to 20 ns each), 2 GiB of resident memory in some 7 ms. Asked anew for each few pages, it took
 * twenty times as long as moving them.
 */
public final class DataRun {
    /** A look-up is paid for by at least this part of the pages that it went over. */
    private static final int PART = 8;

    private final PagedMemory memory;
    private final boolean readsHoles;
    private long first;
    private long end;
    private long asked;
    private boolean hole;

    /**
     * Makes one that remembers nothing.
     *
     * @param memory asked for its holes, never read
     */
    public DataRun(PagedMemory memory) {
        this.memory = memory;
        this.readsHoles = memory.readsHoles();
    }

    /** Takes one run. */
    @FunctionalInterface
    public interface Consumer {
        /**
         * Takes a run of data.
         *
         * @param first global index of its first page
         * @param count pages
         */
        void run(long first, long count);
    }

    /**
     * Hands out every run of data as it is now, in ascending order. No page is touched.
     *
     * @param memory   asked for its holes
     * @param consumer gets the runs
     */
    public static void forEach(PagedMemory memory, Consumer consumer) {
        long end = memory.regions().pageCount();
        for (long at = memory.nextData(0); at < end; at = memory.nextData(at)) {
            long hole = memory.nextHole(at);
            consumer.run(at, hole - at);
            at = hole;
        }
    }

    /** Forgets the run, because memory may have changed. */
    public void forget() {
        first = 0;
        end = 0;
        asked = 0;
    }

    /**
     * Forgets a hole, which may hold data by now: to take that for zeros would be wrong. A run of
     * data is forgotten only once an eighth of its pages were asked for: to take a new hole in it
     * for data is right, it only gives the page storage.
     */
    public void age() {
        if (hole || asked >= (end - first) / PART) {
            forget();
        }
    }

    /**
     * Returns whether a page is a hole that must not be read. Memory that reads its holes has none.
     *
     * @param page global index
     * @return true when it holds zeros and no storage, and reading would give it some
     */
    public boolean isHole(long page) {
        if (readsHoles) {
            return false;
        }
        if (page < first || page >= end) {
            long data = memory.nextData(page);
            hole = data > page;
            first = page;
            asked = 0;
            // A hole that opened between the two look-ups makes an empty run: data, this once.
            end = hole ? data : memory.nextHole(page);
        }
        asked++;
        return hole;
    }
}
