package io.pageferry.core.codec.page;

import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.MemorySegment;

/** Memory that shows the same bytes for every page. */
record OnePage(MemorySegment bytes) implements PageSource {
    private static final RegionTable REGIONS =
            RegionTable.single("ram", 256L * PageCodec.PAGE);

    @Override
    public RegionTable regions() {
        return REGIONS;
    }

    @Override
    public int read(long page, int count, MemorySegment into, long at) {
        MemorySegment.copy(bytes, 0, into, at, PageCodec.PAGE);
        return 1;
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
