package io.pageferry.core.codec.page;

import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.MemorySegment;

/** Memory that has some pages from one on, at any address. */
record Pages(MemorySegment bytes, long first) implements PageSource {
    private static final RegionTable REGIONS =
            RegionTable.single("ram", 256L * PageCodec.PAGE);

    Pages(MemorySegment bytes) {
        this(bytes, 0);
    }

    @Override
    public RegionTable regions() {
        return REGIONS;
    }

    @Override
    public int read(long page, int count, MemorySegment into, long at) {
        MemorySegment.copy(bytes, (page - first) * PageCodec.PAGE, into, at,
                (long) count * PageCodec.PAGE);
        return count;
    }

    @Override
    public long nextData(long page) {
        return page;
    }

    @Override
    public long nextHole(long page) {
        return REGIONS.pageCount();
    }
}
