package io.pageferry.core.memory;

/**
 * Tells holes from data page by page, at two look-ups for each run of either: it remembers the run
 * around the last page asked for. What it remembers grows old, so {@link #forget} it before each
 * piece of work. Confined to one thread.
 */
public final class DataRun {
    private final PagedMemory memory;
    private long first;
    private long end;
    private boolean hole;

    /**
     * Makes one that remembers nothing.
     *
     * @param memory asked for its holes, never read
     */
    public DataRun(PagedMemory memory) {
        this.memory = memory;
    }

    /** Forgets the run, because memory may have changed. */
    public void forget() {
        first = 0;
        end = 0;
    }

    /**
     * Tells whether a page is a hole, and must not be read through a window.
     *
     * @param page global index
     * @return true when it holds zeros and no storage
     */
    public boolean isHole(long page) {
        if (page < first || page >= end) {
            long data = memory.nextData(page);
            hole = data > page;
            first = page;
            // A hole that opened between the two look-ups makes an empty run: data, this once.
            end = hole ? data : memory.nextHole(page);
        }
        return hole;
    }
}
