package io.pageferry.core.dirty;

/**
 * A tracker for guests that report themselves what they wrote. Writers call {@link #mark} after
 * each write, from any thread; one thread harvests.
 */
public final class MarkingTracker implements DirtyTracker {
    private final DirtyBitmap marks;

    /**
     * Makes an unarmed tracker.
     *
     * @param pages pages of the guest, ≥ 1
     */
    public MarkingTracker(long pages) {
        this.marks = new DirtyBitmap(pages);
    }

    /**
     * Notes a write. Call it after the write, never before: a harvest between mark and write
     * would read the old bytes and forget the mark.
     *
     * @param page global index
     */
    public void mark(long page) {
        marks.mark(page);
    }

    @Override
    public String name() {
        return "marking";
    }

    @Override
    public void start() {
        // What was marked by now was written by now, and the caller takes it as dirty after this:
        // left here, it would be sent a second time.
        marks.clearAll();
    }

    @Override
    public void harvest(DirtyBitmap into) {
        marks.harvestInto(into);
    }

    @Override
    public void close() {
        marks.close();
    }
}
