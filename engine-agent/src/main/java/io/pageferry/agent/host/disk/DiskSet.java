package io.pageferry.agent.host.disk;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Disks as the regions of a guest, in their order. Immutable.
 *
 * @param disks   one for each region; each uses as many bytes as that has
 * @param regions of kind disk
 */
public record DiskSet(List<Disk> disks, RegionTable regions) {
    static final int RUN_PAGES = Disk.RUN_BYTES / PageGeometry.PAGE_SIZE;

    /**
     * Makes the regions of some disks.
     *
     * @param disks in order
     * @return the disks, each a region with its number and its label
     */
    public static DiskSet of(List<Disk> disks) {
        List<Region> regions = new ArrayList<>();
        for (Disk disk : disks) {
            regions.add(new Region(regions.size(), Region.Kind.DISK, "disk" + regions.size() + ":"
                    + disk.label(), 0, disk.bytes(), PageGeometry.PAGE_SIZE));
        }
        return new DiskSet(List.copyOf(disks), new RegionTable(regions));
    }

    Disk diskOf(long page) {
        return disks.get(regions.regionOf(page));
    }

    long offsetOf(long page) {
        return regions.offsetInRegion(regions.regionOf(page), page);
    }

    /** Returns how many pages from one on are in the same run of 1 MiB of the same disk. */
    int inRun(long page, long most) {
        int region = regions.regionOf(page);
        long index = page - regions.firstPage(region);
        return (int) Math.min(Math.min(most, RUN_PAGES - index % RUN_PAGES),
                regions.endPage(region) - page);
    }

    long nextData(long page) {
        return next(page, true);
    }

    long nextHole(long page) {
        return next(page, false);
    }

    /** A page that is partly data is data. */
    private long next(long page, boolean data) {
        long at = page;
        while (at < regions.pageCount()) {
            int region = regions.regionOf(at);
            Disk disk = disks.get(region);
            long first = regions.firstPage(region);
            try {
                long offset = PageGeometry.bytesOf(at - first);
                long found = data ? disk.nextData(offset) : disk.nextHole(offset);
                if (found < disk.bytes()) {
                    return Math.max(at, first + (data ? found / PageGeometry.PAGE_SIZE
                            : PageGeometry.pagesFor(found)));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            at = regions.endPage(region);
        }
        return at;
    }
}
