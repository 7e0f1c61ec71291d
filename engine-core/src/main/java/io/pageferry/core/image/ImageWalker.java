package io.pageferry.core.image;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.scan.DataRun;
import io.pageferry.core.memory.scan.PageView;
import java.util.function.LongPredicate;
import java.util.stream.LongStream;

/**
 * Reads the image back and sums what is there. It does not believe what the writer noted: its
 * {@link PageView} shares no address code with it, so a page applied to a wrong place, not at all
 * or too late is seen. Pages that were never sent are proved to be zero. Confined to one thread.
 *
 * <p>Pages are read back soon after they were written, by {@link #readBack}, while the caches hold
 * them. A page that is written again counts as not read back: whichever version came last, a wrong
 * older one too, is the one that is summed last. What was left, {@link #proveWritten} reads before
 * each barrier passes. A page whose checksum differs from its batch's directory is owed: it is
 * named to the source, which sends it again. {@link #proveUnwritten} queues what was never sent,
 * and {@link #step} reads that while there is nothing better to do.
 */
public final class ImageWalker implements AutoCloseable {
    private static final long[] NONE = {};

    private final PageStore image;
    private final ImageWriter writer;
    private final DataRun dataRun;
    private final PageView view;
    private final DirtyBitmap waiting;
    private final DirtyBitmap proved;
    private final DirtyBitmap owed;
    private final DirtyBitmap unnamed;
    private final ChecksumTable table;
    private long owedPages;
    private long cursor;
    /** No page before it waits for {@link #catchUp}. */
    private long left = Long.MAX_VALUE;

    /**
     * Makes a walker.
     *
     * @param image  to read back
     * @param writer reports what it wrote, and only that
     */
    public ImageWalker(PageStore image, ImageWriter writer) {
        this.image = image;
        this.writer = writer;
        this.dataRun = new DataRun(image);
        this.view = new PageView(image);
        long pages = image.regions().pageCount();
        this.waiting = new DirtyBitmap(pages);
        this.proved = new DirtyBitmap(pages);
        this.owed = new DirtyBitmap(pages);
        this.unnamed = new DirtyBitmap(pages);
        this.table = writer.sums();
    }

    /**
     * Reads some pages back now, those of them that the writer wrote since they were read last.
     *
     * @param descriptors of a batch, as {@link PageBatch#descriptorAt} gives them
     * @param count       so many of them
     */
    public void readBack(long[] descriptors, int count) {
        dataRun.age();
        for (int i = 0; i < count;) {
            long page = PageBatch.pageOf(descriptors[i]);
            boolean cleared = PageBatch.codecOf(descriptors[i]) == PageCodec.ZERO;
            if (!writer.isUnverified(page)) {
                i++;
            } else if (isHole(page, cleared)) {
                noteHole(page);
                i++;
            } else {
                int run = 1;
                while (run < PagedMemory.RUN_PAGES && i + run < count
                        && isReadWith(page + run, descriptors[i + run])) {
                    run++;
                }
                int read = noteRun(page, run);
                if (read == PagedMemory.NOT_YET) {
                    leave(descriptors, i, count);
                    return;
                }
                i += read;
            }
        }
    }

    /** Leaves what cannot be read yet to {@link #catchUp} and {@link #proveWritten}. */
    private void leave(long[] descriptors, int from, int count) {
        for (int i = from; i < count; i++) {
            left = Math.min(left, PageBatch.pageOf(descriptors[i]));
        }
    }

    /**
     * Reads back what {@link #readBack} could not, as far as it can be read by now.
     *
     * @param most stop after so many
     * @return 0 where nothing is left, or the next page is not there yet
     */
    public int catchUp(int most) {
        long before = left;
        if (before < waiting.pages()) {
            left = proveFrom(before, most);
        }
        return left == before ? 0 : 1;
    }

    private boolean isReadWith(long page, long descriptor) {
        return PageBatch.pageOf(descriptor) == page && writer.isUnverified(page)
                && !isHole(page, PageBatch.codecOf(descriptor) == PageCodec.ZERO);
    }

    /**
     * Reads back what the writer wrote and {@link #readBack} did not.
     *
     * @param most stop after so many
     * @return whether nothing is left
     */
    public boolean proveWritten(int most) {
        return proveFrom(0, most) == waiting.pages();
    }

    /** Returns the first page behind {@code from} that is still to be read. */
    private long proveFrom(long from, int most) {
        dataRun.forget();
        long page = writer.nextUnverified(from);
        for (int done = 0; done < most && page < waiting.pages();) {
            int read = 1;
            if (isHole(page, false)) {
                noteHole(page);
            } else {
                read = noteRun(page, runFrom(page, most - done, writer::isUnverified));
                if (read == PagedMemory.NOT_YET) {
                    break;
                }
            }
            done += read;
            page = writer.nextUnverified(page + read);
        }
        return page;
    }

    /**
     * Counts the pages whose bytes in the image are not those that the source summed: lost or
     * damaged on their way, in the store, or no block of their codec.
     *
     * @return pages that the source has to send again
     */
    public long owedPages() {
        return owedPages;
    }

    /**
     * Takes owed pages that were not named yet.
     *
     * @param most at most so many
     * @return their global indexes, ascending; empty when all were named
     */
    public long[] takeUnnamed(int most) {
        if (owedPages == 0) {
            return NONE;
        }
        long[] pages = LongStream.iterate(unnamed.nextMarked(0), page -> page < unnamed.pages(),
                page -> unnamed.nextMarked(page + 1)).limit(most).toArray();
        LongStream.of(pages).forEach(unnamed::clear);
        return pages;
    }

    /** Has every owed page named again: what the lost link carried of it is unknown. */
    public void nameAgain() {
        owed.forEachRun(unnamed::markRange);
    }

    /**
     * Queues every page with storage that was never read back. Where such a page was never sent and
     * it holds something (a reused file), {@link #step} makes it zero. Call it once round 0 is
     * applied, and again before the digest is believed.
     */
    public void proveUnwritten() {
        queueUnread(page -> true);
    }

    /** Queues every page that was read back, and every other one with storage: all once more. */
    public void proveAgain() {
        proved.forEachRun(waiting::markRange);
        proveUnwritten();
    }

    /**
     * Queues only those pages of {@link #proveUnwritten} that were never sent: enough when the
     * digest is not wanted, for an image that was used before has to be cleaned all the same.
     */
    public void cleanUnwritten() {
        queueUnread(page -> !writer.wasWritten(page));
    }

    /**
     * Reads back queued pages.
     *
     * @param most stop after so many
     * @return how many were read; fewer than {@code most} means that the queue is empty, or that
     *         the next page is not there yet
     */
    public int step(int most) {
        int done = 0;
        dataRun.age();
        while (done < most) {
            long page = waiting.nextMarked(cursor);
            if (page == waiting.pages()) {
                cursor = page;
                break;
            }
            int read = readQueued(page, most - done);
            if (read == PagedMemory.NOT_YET) {
                break;
            }
            waiting.clearRange(page, read);
            cursor = page + read;
            done += read;
        }
        return done;
    }

    /** {@return whether every queued page was read back} */
    public boolean isIdle() {
        return waiting.nextMarked(cursor) == waiting.pages();
    }

    /** {@return what was read back; changes with each step} */
    public ChecksumTable table() {
        return table;
    }

    /** Frees the bitmaps. Idempotent. */
    @Override
    public void close() {
        waiting.close();
        proved.close();
        owed.close();
        unnamed.close();
    }

    /** Notes what a page was read back as, and owes the page where that is wrong. */
    private void note(long page, int sum, boolean zero) {
        if (writer.isUnverified(page)) {
            writer.verified(page);
            if (sum != table.get(page) || zero != writer.isZero(page)) {
                owedPages += owed.mark(page) ? 1 : 0;
                unnamed.mark(page);
            } else if (owedPages > 0 && owed.clear(page)) {
                owedPages--;
                unnamed.clear(page);
            }
        }
        table.set(page, sum);
        proved.mark(page);
    }

    /** A hole is proved zero without a read, which would allocate it. */
    private void noteHole(long page) {
        note(page, PageChecksum.OF_ZEROS, true);
    }

    /** Whether it is zero is told by its bytes: others have the checksum of zeros, too. */
    private void noteShown(long page, int index) {
        note(page, view.checksum(index), view.isZero(index));
    }

    /** Reads and notes pages that are no holes; returns how many it could. */
    private int noteRun(long page, int count) {
        int shown = view.show(page, count);
        for (int i = 0; i < shown; i++) {
            noteShown(page + i, i);
        }
        return shown;
    }

    private int runFrom(long page, int most, LongPredicate wanted) {
        int limit = (int) Math.min(Math.min(most, PagedMemory.RUN_PAGES), waiting.pages() - page);
        int run = 1;
        while (run < limit && wanted.test(page + run) && !isHole(page + run, false)) {
            run++;
        }
        return run;
    }

    /**
     * Whether a page is a hole that must not be read. One that was just cleared is not looked for
     * in the run of data, whose end would have to be looked for anew: for each page of a reused
     * image that was 90 µs.
     */
    private boolean isHole(long page, boolean cleared) {
        return cleared && !image.readsHoles() ? image.nextData(page) > page
                : dataRun.isHole(page);
    }

    private void queueUnread(LongPredicate wanted) {
        dataRun.forget();
        long end = waiting.pages();
        long gapEnd = 0;
        long holeEnd = 0;
        long dataEnd = 0;
        // From gap to gap of what was proved: to walk the data of a resident image costs 8 ms a
        // GiB in the kernel. Each end is looked for once, and that of data only where data is: at
        // the end, where a guest waits, a gap is a hole, and costs one look.
        for (long at = proved.nextUnmarked(0); at < end; at = proved.nextUnmarked(at)) {
            if (at >= gapEnd) {
                gapEnd = proved.nextMarked(at);
            }
            if (at >= holeEnd && at >= dataEnd) {
                holeEnd = image.nextData(at);
                // A hole that opened between the two looks makes an empty run: data, this once.
                dataEnd = holeEnd > at ? 0 : Math.max(at + 1, image.nextHole(at));
            }
            if (at < holeEnd) {
                at = Math.min(gapEnd, holeEnd);
                continue;
            }
            for (; at < Math.min(gapEnd, dataEnd); at++) {
                if (wanted.test(at)) {
                    waiting.mark(at);
                }
            }
        }
        cursor = 0;
    }

    /** Reads queued pages. Those that were never sent are made zero and read again. */
    private int readQueued(long page, int most) {
        if (isHole(page, false)) {
            noteHole(page);
            return 1;
        }
        int shown = view.show(page, runFrom(page, most, waiting::isMarked));
        for (int i = 0; i < shown; i++) {
            if (isForeign(page + i, i)) {
                int foreign = i + 1;
                while (foreign < shown && isForeign(page + foreign, foreign)) {
                    foreign++;
                }
                image.clear(page + i, foreign - i);
                return i + noteCleared(page + i, foreign - i);
            }
            noteShown(page + i, i);
        }
        return shown;
    }

    private boolean isForeign(long page, int index) {
        return !writer.wasWritten(page) && !view.isZero(index);
    }

    private int noteCleared(long first, int count) {
        for (int i = 0; i < count; i++) {
            if (isHole(first + i, true)) {
                noteHole(first + i);
            } else if (noteRun(first + i, 1) == PagedMemory.NOT_YET) {
                return i;
            }
        }
        return count;
    }
}
