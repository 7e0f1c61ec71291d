package io.pageferry.core.precopy;

import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.util.Optional;
import org.agrona.collections.Long2LongHashMap;

/**
 * Counts how often each page arrived damaged. A page is sent again {@value #MOST_TRIES} times; what
 * is still wrong then is no accident of the link. Confined to one thread.
 */
final class DamagedPages {
    /** Times that one page is sent again. */
    static final int MOST_TRIES = 3;

    /** Pages that are counted; so many damaged ones are a broken link or a lying target. */
    private static final int MOST_PAGES = 1 << 16;

    private final RegionTable regions;
    private final Long2LongHashMap tries = new Long2LongHashMap(0);

    DamagedPages(RegionTable regions) {
        this.regions = regions;
    }

    /** Counts a page that is to be sent again; returns why it is not, where that is so. */
    Optional<String> count(long page) {
        if (page < 0 || page >= regions.pageCount()) {
            return Optional.of("the target named page " + page + " of " + regions.pageCount());
        }
        long damaged = tries.get(page) + 1;
        if (tries.size() == MOST_PAGES && damaged == 1) {
            return Optional.of("more than " + MOST_PAGES + " pages arrived damaged");
        }
        tries.put(page, damaged);
        if (damaged <= MOST_TRIES) {
            return Optional.empty();
        }
        int id = regions.regionOf(page);
        Region region = regions.region(id);
        return Optional.of("page " + page + " ('" + region.name() + "' + 0x"
                + Long.toHexString(regions.offsetInRegion(id, page)) + ") arrived damaged "
                + damaged + " times");
    }
}
