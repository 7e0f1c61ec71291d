package io.pageferry.core.memory;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A guest's memory as regions laid end to end: the map from a global page index to a place.
 * Immutable, and so safe for every thread.
 */
public final class RegionTable {
    /** Most regions of one guest; PROTOCOL.md refuses more before it allocates for them. */
    public static final int MAX_REGIONS = 1024;

    private final List<Region> regions;
    private final long[] firstPages;

    /**
     * Makes a table.
     *
     * @param regions 1 to {@link #MAX_REGIONS} regions, ids 0, 1, 2 … in this order, names unique
     * @throws IllegalArgumentException when one of these does not hold
     */
    public RegionTable(List<Region> regions) {
        if (regions.isEmpty() || regions.size() > MAX_REGIONS) {
            throw new IllegalArgumentException(regions.size() + " regions, not 1…" + MAX_REGIONS);
        }
        this.regions = List.copyOf(regions);
        this.firstPages = new long[regions.size() + 1];
        Set<String> names = new HashSet<>();
        for (int i = 0; i < regions.size(); i++) {
            Region region = regions.get(i);
            if (region.id() != i || !names.add(region.name())) {
                throw new IllegalArgumentException(
                        "region " + i + ": id " + region.id() + ", name '" + region.name() + "'");
            }
            firstPages[i + 1] = Math.addExact(firstPages[i], region.pages());
        }
    }

    /**
     * Makes a table of one region.
     *
     * @param name its name
     * @param size its bytes
     * @return the table, granule 4096, guest base 0
     */
    public static RegionTable single(String name, long size) {
        return new RegionTable(List.of(new Region(0, name, 0, size, PageGeometry.PAGE_SIZE)));
    }

    /**
     * Returns the regions.
     *
     * @return the regions in order, unmodifiable
     */
    public List<Region> regions() {
        return regions;
    }

    /**
     * Finds a region by its id.
     *
     * @param id 0 … size − 1
     * @return the region
     */
    public Region region(int id) {
        return regions.get(id);
    }

    /**
     * Counts the pages.
     *
     * @return pages of all regions
     */
    public long pageCount() {
        return firstPages[regions.size()];
    }

    /**
     * Counts the bytes.
     *
     * @return bytes of all regions
     */
    public long totalBytes() {
        return PageGeometry.bytesOf(pageCount());
    }

    /**
     * Returns where a region begins.
     *
     * @param id a region
     * @return global index of its first page
     */
    public long firstPage(int id) {
        return firstPages[id];
    }

    /**
     * Returns where a region ends.
     *
     * @param id a region
     * @return global index of the page after its last
     */
    public long endPage(int id) {
        return firstPages[id + 1];
    }

    /**
     * Finds the region that holds a page.
     *
     * @param page global index
     * @return the region's id
     * @throws IndexOutOfBoundsException when no region holds it
     */
    public int regionOf(long page) {
        if (page < 0 || page >= pageCount()) {
            throw new IndexOutOfBoundsException("page " + page + " of " + pageCount());
        }
        int low = 0;
        int high = regions.size() - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (firstPages[middle] <= page) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    /**
     * Returns where in its region a page lies.
     *
     * @param region the region that holds it
     * @param page   global index
     * @return byte offset from the region's first byte
     */
    public long offsetInRegion(int region, long page) {
        return PageGeometry.bytesOf(page - firstPages[region]);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RegionTable table && regions.equals(table.regions);
    }

    @Override
    public int hashCode() {
        return regions.hashCode();
    }

    @Override
    public String toString() {
        return "RegionTable" + regions;
    }

    /**
     * Describes a page as messages name it.
     *
     * @param page global index
     * @return index, region and offset there
     */
    public String describe(long page) {
        Region region = region(regionOf(page));
        return "page " + page + " ('" + region.name() + "' + 0x"
                + Long.toHexString(offsetInRegion(region.id(), page)) + ")";
    }
}
