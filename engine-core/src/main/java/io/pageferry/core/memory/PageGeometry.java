package io.pageferry.core.memory;

/**
 * The one unit of transfer: a page of 4 KiB, whatever the guest's own page size is.
 *
 * <p>Every page index in Pageferry is a 64-bit global index: the regions of a guest are laid end to
 * end in the order of their {@link RegionTable}.
 */
public final class PageGeometry {
    /** log2 of {@link #PAGE_SIZE}. */
    public static final int PAGE_SHIFT = 12;

    /** Bytes in one transfer page; the base page of x86-64 and of most arm64 kernels. */
    public static final int PAGE_SIZE = 1 << PAGE_SHIFT;

    /**
     * The largest window of memory handed to int-indexed code (LZ4, CRC32C, byte buffers): 1 GiB,
     * a multiple of every dirty granule and below {@link Integer#MAX_VALUE}.
     */
    public static final long WINDOW_BYTES = 1L << 30;

    private PageGeometry() {
    }

    /**
     * Converts a size into pages.
     *
     * @param bytes a size in bytes, ≥ 0
     * @return the pages needed to hold it, rounded up
     */
    public static long pagesFor(long bytes) {
        return (bytes + PAGE_SIZE - 1) >>> PAGE_SHIFT;
    }

    /**
     * Converts pages into bytes.
     *
     * @param pages a number of pages
     * @return the bytes that so many pages hold
     */
    public static long bytesOf(long pages) {
        return pages << PAGE_SHIFT;
    }
}
