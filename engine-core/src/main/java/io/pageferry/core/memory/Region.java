package io.pageferry.core.memory;

/**
 * One contiguous range of a guest's memory or of its disks.
 *
 * @param id        position in its {@link RegionTable}, 0 based
 * @param kind      what it is
 * @param name      what the guest calls it, unique in its table, 1 to 255 UTF-8 bytes
 * @param guestBase guest physical address of the first byte, or 0 where the kind has none
 * @param size      exact bytes, &gt; 0; of RAM a multiple of {@link PageGeometry#PAGE_SIZE}. What
 *                  the last page has beyond them reads as zeros
 * @param granule   bytes that its tracker can tell apart: a power of two ≥ 4096
 */
public record Region(int id, Kind kind, String name, long guestBase, long size, int granule) {
    /** Longest name in bytes of UTF-8, so that its length fits one byte on the wire. */
    public static final int MAX_NAME_BYTES = 255;

    /** What a region is. */
    public enum Kind {
        /** Memory that the guest's processors address. */
        RAM,
        /** A disk, or another device of blocks. */
        DISK
    }

    /**
     * Makes a region of RAM.
     *
     * @param id        position in its {@link RegionTable}, 0 based
     * @param name      what the guest calls it
     * @param guestBase guest physical address of the first byte, or 0 where the kind has none
     * @param size      bytes
     * @param granule   bytes that its tracker can tell apart
     */
    public Region(int id, String name, long guestBase, long size, int granule) {
        this(id, Kind.RAM, name, guestBase, size, granule);
    }

    /** Checks every bound named above; throws {@link IllegalArgumentException}. */
    public Region {
        if (id < 0) {
            throw new IllegalArgumentException("region id " + id + " is negative");
        }
        int nameBytes = name.getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
        if (nameBytes == 0 || nameBytes > MAX_NAME_BYTES) {
            throw new IllegalArgumentException("region name of " + nameBytes + " bytes, not 1…255");
        }
        if (size <= 0 || kind == Kind.RAM && size % PageGeometry.PAGE_SIZE != 0) {
            throw new IllegalArgumentException(
                    "region '" + name + "': size " + size + " is no positive multiple of 4096");
        }
        if (granule < PageGeometry.PAGE_SIZE || Integer.bitCount(granule) != 1) {
            throw new IllegalArgumentException(
                    "region '" + name + "': granule " + granule + " is no power of two ≥ 4096");
        }
    }

    /**
     * Returns the region's length in pages.
     *
     * @return the transfer pages in this region, the last one perhaps not full
     */
    public long pages() {
        return PageGeometry.pagesFor(size);
    }
}
