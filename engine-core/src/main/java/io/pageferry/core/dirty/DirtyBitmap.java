package io.pageferry.core.dirty;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * One bit per page in off-heap 64-bit words: bit {@code page & 63} of word {@code page >>> 6}.
 * 32 MiB for a guest of 1 TiB, all of it touched when it is made.
 *
 * <p>{@link #mark}, {@link #clear} and those of ranges are atomic, word by word, and may be called
 * from any thread, also during {@link #harvestInto}. Iteration and count see each word at some
 * moment. The bitmap owns its memory until {@link #close}; after that every method throws
 * {@link IllegalStateException}.
 */
public final class DirtyBitmap implements AutoCloseable {
    /** Receives runs of marked pages. */
    @FunctionalInterface
    public interface RunConsumer {
        /**
         * Takes one run.
         *
         * @param first first page of the run
         * @param count pages in it, ≥ 1
         */
        void run(long first, long count);
    }

    private static final VarHandle WORD = JAVA_LONG.varHandle();
    private static final long ALL = -1L;

    /** Words that a harvest looks at before it moves the first of them. */
    private static final int CHUNK = 512;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment words;
    private final long pages;

    /**
     * Makes a bitmap with no page marked.
     *
     * @param pages pages it covers, ≥ 1
     */
    public DirtyBitmap(long pages) {
        if (pages < 1) {
            throw new IllegalArgumentException("a bitmap of " + pages + " pages");
        }
        this.pages = pages;
        this.words = arena.allocate(((pages + 63) >>> 6) * Long.BYTES, Long.BYTES);
    }

    /**
     * Returns the size.
     *
     * @return pages covered
     */
    public long pages() {
        return pages;
    }

    /**
     * Marks a page. Has release semantics: what was written before is seen by the thread that
     * harvests the mark.
     *
     * @param page 0 … pages − 1
     * @return whether it was unmarked before
     */
    public boolean mark(long page) {
        checkPage(page);
        long bit = 1L << page;
        return ((long) WORD.getAndBitwiseOr(words, offset(page), bit) & bit) == 0;
    }

    /**
     * Marks a run of pages.
     *
     * @param first first page
     * @param count how many, ≥ 0; all must be covered
     */
    public void markRange(long first, long count) {
        setRange(first, count, true);
    }

    /**
     * Unmarks a page, with acquire and release semantics.
     *
     * @param page 0 … pages − 1
     * @return whether it was marked
     */
    public boolean clear(long page) {
        checkPage(page);
        long bit = 1L << page;
        return ((long) WORD.getAndBitwiseAnd(words, offset(page), ~bit) & bit) != 0;
    }

    /**
     * Clears pages.
     *
     * @param first 0 … pages
     * @param count ≥ 0
     */
    public void clearRange(long first, long count) {
        setRange(first, count, false);
    }

    /** Unmarks every page; a mark set meanwhile may stay. */
    public void clearAll() {
        for (long at = 0; at < words.byteSize(); at += Long.BYTES) {
            if ((long) WORD.getOpaque(words, at) != 0) {
                WORD.getAndSet(words, at, 0L);
            }
        }
    }

    /** Marks every page. */
    public void markAll() {
        markRange(0, pages);
    }

    /**
     * Returns whether a page is marked.
     *
     * @param page 0 … pages − 1
     * @return true when it is
     */
    public boolean isMarked(long page) {
        checkPage(page);
        return ((long) WORD.getAcquire(words, offset(page)) & 1L << page) != 0;
    }

    /**
     * Counts the dirty pages.
     *
     * @return pages marked
     */
    public long count() {
        long count = 0;
        for (long at = 0; at < words.byteSize(); at += Long.BYTES) {
            count += Long.bitCount(words.get(JAVA_LONG, at));
        }
        return count;
    }

    /**
     * Counts dirty pages of a range.
     *
     * @param first a multiple of 64
     * @param count of pages, up to a multiple of 64 or to the end
     * @return pages marked there
     */
    public long countIn(long first, long count) {
        long marked = 0;
        for (long at = offset(first); at < offsetBehind(first + count); at += Long.BYTES) {
            marked += Long.bitCount(words.get(JAVA_LONG, at));
        }
        return marked;
    }

    /**
     * Looks for a page of a range that is marked here and in another bitmap.
     *
     * @param other covers as many pages
     * @param first a multiple of 64
     * @param count of pages, up to a multiple of 64 or to the end
     * @return whether there is one
     */
    public boolean meets(DirtyBitmap other, long first, long count) {
        for (long at = offset(first); at < offsetBehind(first + count); at += Long.BYTES) {
            if ((words.get(JAVA_LONG, at) & other.words.get(JAVA_LONG, at)) != 0) {
                return true;
            }
        }
        return false;
    }

    private static long offsetBehind(long page) {
        return offset(page - 1) + Long.BYTES;
    }

    /**
     * Returns whether nothing is marked.
     *
     * @return true when no page is
     */
    public boolean isEmpty() {
        return nextMarked(0) == pages;
    }

    /**
     * Moves all marks into another bitmap: each word is swapped to zero, then its bits are set
     * there. A mark set meanwhile is either moved now or stays for the next harvest. Takes 8 KiB
     * of heap for as long as it lasts.
     *
     * @param into covers as many pages
     */
    public void harvestInto(DirtyBitmap into) {
        if (into.pages != pages) {
            throw new IllegalArgumentException(pages + " pages into " + into.pages);
        }
        // An atomic instruction waits for its line of memory and holds up every load behind it. So
        // a chunk's words are looked at first, on both sides, which loads many lines at a time.
        long[] places = new long[CHUNK];
        long[] there = new long[CHUNK];
        long at = 0;
        while (at < words.byteSize()) {
            long end = Math.min(words.byteSize(), at + (long) CHUNK * Long.BYTES);
            int found = 0;
            for (; at < end; at += Long.BYTES) {
                if (words.get(JAVA_LONG, at) != 0) {
                    places[found++] = at;
                }
            }
            for (int i = 0; i < found; i++) {
                there[i] = into.words.get(JAVA_LONG, places[i]);
            }
            for (int i = 0; i < found; i++) {
                moveWord(places[i], into.words, there[i]);
            }
        }
    }

    /** Moves one word; {@code was} is what was seen there, and may be wrong. */
    private void moveWord(long at, MemorySegment into, long was) {
        long bits = (long) WORD.getAndSet(words, at, 0L);
        if (!WORD.compareAndSet(into, at, was, was | bits)) {
            WORD.getAndBitwiseOr(into, at, bits);
        }
    }

    /**
     * Finds a marked page.
     *
     * @param from 0 … pages
     * @return the first marked page ≥ {@code from}, or {@link #pages()} when there is none
     */
    public long nextMarked(long from) {
        return next(from, 0L);
    }

    /**
     * Finds an unmarked page.
     *
     * @param from 0 … pages
     * @return the first unmarked page ≥ {@code from}, or {@link #pages()} when there is none
     */
    public long nextUnmarked(long from) {
        return next(from, ALL);
    }

    /**
     * Hands out every run of marked pages in ascending order; runs are as long as they can be.
     *
     * @param consumer receives them
     */
    public void forEachRun(RunConsumer consumer) {
        long first = nextMarked(0);
        while (first < pages) {
            long end = nextUnmarked(first);
            consumer.run(first, end - first);
            first = nextMarked(end);
        }
    }

    /** Frees the memory. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /** Searches words after xor with {@code flip}: 0 finds marks, all ones finds gaps. */
    private long next(long from, long flip) {
        if (from >= pages) {
            return pages;
        }
        long at = offset(from);
        long bits = (words.get(JAVA_LONG, at) ^ flip) & (ALL << from);
        while (bits == 0) {
            at += Long.BYTES;
            if (at >= words.byteSize()) {
                return pages;
            }
            bits = words.get(JAVA_LONG, at) ^ flip;
        }
        return Math.min(pages, (at << 3) + Long.numberOfTrailingZeros(bits));
    }

    private void setRange(long first, long count, boolean marked) {
        if (count < 0 || first < 0 || first > pages - count) {
            throw new IndexOutOfBoundsException(first + " + " + count + " of " + pages);
        }
        long page = first;
        long end = first + count;
        while (page < end) {
            long wordEnd = Math.min(end, (page | 63) + 1);
            long mask = maskOf(page, wordEnd);
            if (marked) {
                WORD.getAndBitwiseOr(words, offset(page), mask);
            } else {
                WORD.getAndBitwiseAnd(words, offset(page), ~mask);
            }
            page = wordEnd;
        }
    }

    private void checkPage(long page) {
        if (page < 0 || page >= pages) {
            throw new IndexOutOfBoundsException("page " + page + " of " + pages);
        }
    }

    private static long offset(long page) {
        return page >>> 6 << 3;
    }

    private static long maskOf(long page, long end) {
        int count = (int) (end - page);
        return (count == 64 ? ALL : (1L << count) - 1) << page;
    }
}
