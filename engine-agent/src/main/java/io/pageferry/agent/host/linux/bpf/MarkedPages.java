package io.pageferry.agent.host.linux.bpf;

import io.pageferry.core.dirty.DirtyBitmap;
import java.io.IOException;

/**
 * The marks of one device, shared with the program that makes them: words with a bit for each page,
 * then words with a bit for each MiB, then one that says that everything may have changed, then one
 * that says that a request found no room among those that began. One thread, beside the programs.
 */
final class MarkedPages implements AutoCloseable {
    /** Pages of a MiB. */
    static final int COARSE_SHIFT = 8;

    private static final int WORD_BITS = 64;

    private final long pages;
    private final BpfArray words;

    MarkedPages(long pages) throws IOException {
        this.pages = pages;
        this.words = new BpfArray(overflowWord(pages) + 1);
    }

    /** {@return the first word whose bits are coarse} */
    static int coarseWord(long pages) {
        return Math.toIntExact((pages + WORD_BITS - 1) / WORD_BITS);
    }

    /** {@return the word that stands for everything} */
    static int lastWord(long pages) {
        long bits = (pages >>> COARSE_SHIFT) + 1;
        return Math.toIntExact(coarseWord(pages) + (bits + WORD_BITS - 1) / WORD_BITS);
    }

    /** {@return the word of requests that are not in the table} */
    static int overflowWord(long pages) {
        return lastWord(pages) + 1;
    }

    /** {@return the map, for the instructions that use it} */
    int map() {
        return words.fd();
    }

    /**
     * Moves the marks into a bitmap: each word is cleared and then reported.
     *
     * @param into      receives them
     * @param firstPage index there of the device's first page
     */
    void harvest(DirtyBitmap into, long firstPage) {
        words.take(overflowWord(pages), (word, bits) -> mark(into, firstPage, word, bits));
    }

    /** {@return whether a request began that is not in the table} */
    boolean hasOverflown() {
        return words.get(overflowWord(pages)) != 0;
    }

    private void mark(DirtyBitmap into, long firstPage, int word, long bits) {
        int coarse = coarseWord(pages);
        if (word < coarse) {
            mark(into, firstPage, (long) word * WORD_BITS, bits, 0);
        } else if (word < lastWord(pages)) {
            mark(into, firstPage, (long) (word - coarse) * WORD_BITS, bits, COARSE_SHIFT);
        } else {
            into.markRange(firstPage, pages);
        }
    }

    private void mark(DirtyBitmap into, long firstPage, long firstBit, long word, int shift) {
        long bits = word;
        while (bits != 0) {
            int from = Long.numberOfTrailingZeros(bits);
            int run = Long.numberOfTrailingZeros(~(bits >>> from));
            long page = firstBit + from << shift;
            long end = Math.min(pages, page + ((long) run << shift));
            into.markRange(firstPage + page, end - page);
            bits = from + run >= WORD_BITS ? 0 : bits & -1L << from + run;
        }
    }

    @Override
    public void close() {
        words.close();
    }
}
