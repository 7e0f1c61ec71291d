package io.pageferry.core.dirty;

/**
 * Shows a guest's memory as cells, each some pages that lie beside each other, while it moves.
 * Immutable.
 *
 * @param pagesPerCell pages of each cell but the last, a multiple of 64
 * @param cells        a digit for each cell: the place of its {@link Cell}
 */
public record MemoryMap(long pagesPerCell, String cells) {
    /** Most cells of a map: 64 by 64. */
    public static final int MOST_CELLS = 4096;

    /** Bits of a word of the bitmaps, so that a cell has whole words. */
    private static final int WORD_PAGES = 64;

    /** Says what is true of some page of a cell, or of all of them; later ones win. */
    public enum Cell {
        /** Nothing was sent of it, and nothing has to be. */
        EMPTY,
        /** What was sent is what the guest has, as far as the tracker was asked. */
        SENT,
        /** Something has to be sent for the first time. */
        DIRTY,
        /** Something was written again after it was sent. */
        HOT,
        /** As SENT, and the target has read all back. */
        VERIFIED
    }

    /** Tells which cell a range of pages makes. */
    @FunctionalInterface
    public interface Cells {
        /**
         * Looks at pages.
         *
         * @param first the first page
         * @param count how many, 1 or more
         * @return what they are
         */
        Cell of(long first, long count);
    }

    /**
     * Makes a map.
     *
     * @param pages of the guest, 1 or more
     * @param of    tells each cell
     * @return the map
     */
    public static MemoryMap of(long pages, Cells of) {
        long least = (pages - 1) / MOST_CELLS + 1;
        long each = (least + WORD_PAGES - 1) / WORD_PAGES * WORD_PAGES;
        StringBuilder digits = new StringBuilder((int) ((pages - 1) / each + 1));
        for (long first = 0; first < pages; first += each) {
            digits.append((char) ('0' + of.of(first, Math.min(each, pages - first)).ordinal()));
        }
        return new MemoryMap(each, digits.toString());
    }
}
