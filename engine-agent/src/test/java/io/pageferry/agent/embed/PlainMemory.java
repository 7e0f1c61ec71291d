package io.pageferry.agent.embed;

import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.MemoryImage;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory as an embedder has it who knows of no holes: one region, all of it data. */
final class PlainMemory implements GuestMemory, MemoryImage, AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final RegionTable regions;
    private final MemorySegment bytes;

    PlainMemory(long size) {
        regions = RegionTable.single("ram", size);
        bytes = arena.allocate(size, PageGeometry.PAGE_SIZE);
    }

    @Override
    public RegionTable regions() {
        return regions;
    }

    @Override
    public MemorySegment window(int region) {
        return bytes;
    }

    @Override
    public long nextData(long page) {
        return page;
    }

    @Override
    public long nextHole(long page) {
        return regions.pageCount();
    }

    @Override
    public void clear(long page, long count) {
        bytes.asSlice(PageGeometry.bytesOf(page), PageGeometry.bytesOf(count)).fill((byte) 0);
    }

    @Override
    public void close() {
        arena.close();
    }
}
