package io.pageferry.core.dirty;

import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.scan.DataRun;
import io.pageferry.core.memory.scan.PageView;
import io.pageferry.core.memory.scan.SentHashes;
import java.lang.foreign.MemorySegment;

/**
 * Finds written pages by their content: each harvest reads every page that is not a hole and
 * compares a 64-bit hash with that of the bytes that were sent last. It needs nothing of the guest
 * or the kernel and is right under every writer, whatever it writes through; the price is one
 * reading of the whole guest for each harvest, the last two of which fall into the downtime.
 *
 * <p>A page written while it is read may be taken for either version; it differs from what was sent
 * at the next harvest, and during the last the guest does not write. A page that was sent with
 * content and is a hole now is not looked at: reading would allocate it, and the caller of the
 * tracker compares the holes.
 *
 * <p>8 B a page off-heap, in chunks of 512 KiB for 256 MiB of guest, each taken when a page in it
 * is first sent with content. Confined to one thread.
 */
public final class ScanTracker implements DirtyTracker, SentPages {
    private final PageSource memory;
    private final PageView view;
    private final SentHashes hashes;

    /**
     * Makes an unarmed tracker.
     *
     * @param memory read at each harvest; stays the caller's
     */
    public ScanTracker(PageSource memory) {
        this.memory = memory;
        this.view = new PageView(memory);
        this.hashes = new SentHashes(memory.regions().pageCount());
    }

    @Override
    public String name() {
        return "scan";
    }

    @Override
    public void start() {
        hashes.close();
    }

    @Override
    public void sent(long page, MemorySegment bytes, long at) {
        hashes.set(page, bytes, at);
    }

    @Override
    public void sentZero(long page) {
        hashes.setZero(page);
    }

    @Override
    public void harvest(DirtyBitmap into) {
        memory.forgetReads();
        DataRun.forEach(memory, (first, count) -> scan(first, first + count, into));
    }

    @Override
    public boolean comparesContents() {
        return true;
    }

    @Override
    public void close() {
        hashes.close();
    }

    /**
     * Pages that are dirty anyway are not read: whatever they hold is sent. So is one that cannot
     * be read at once: to wait for it would hold everything up.
     */
    private void scan(long first, long end, DirtyBitmap into) {
        long page = into.nextUnmarked(first);
        while (page < end) {
            long stop = Math.min(end, into.nextMarked(page));
            int shown = view.show(page, (int) Math.min(PagedMemory.RUN_PAGES, stop - page));
            for (int i = 0; i < shown; i++) {
                if (hashes.differs(page + i, view.bytes(), view.place(i))) {
                    into.mark(page + i);
                }
            }
            if (shown == PagedMemory.NOT_YET) {
                into.mark(page++);
            }
            page = into.nextUnmarked(page + shown);
        }
    }
}
