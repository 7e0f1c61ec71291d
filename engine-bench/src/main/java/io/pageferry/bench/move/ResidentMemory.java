package io.pageferry.bench.move;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;

/** Memory of one side, as an agent has it (a mapped memfd), every page of it touched. */
public final class ResidentMemory implements AutoCloseable {
    private static final int PAGE = PageGeometry.PAGE_SIZE;

    private final MappedRegions regions;

    /**
     * Makes memory of a size.
     *
     * @param name of the memfd
     * @param size bytes, a multiple of 4096
     * @throws LinuxException when there is not so much
     */
    public ResidentMemory(String name, long size) throws LinuxException {
        regions = new MappedRegions(RegionTable.single("ram", size),
                List.of(new RegionFiles.Part(SharedMemory.create(name, size), 0)));
        regions.populate();
    }

    /** {@return as the engine sees it} */
    public MappedRegions regions() {
        return regions;
    }

    /** {@return all bytes} */
    public MemorySegment bytes() {
        return regions.window(0);
    }

    /**
     * Fills every page.
     *
     * @param content of the pages
     * @param seed    of what is drawn
     */
    public void fill(Content content, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] page = new byte[PAGE];
        MemorySegment source = MemorySegment.ofArray(page);
        for (long at = 0; at < bytes().byteSize(); at += PAGE) {
            content.fill(page, at / PAGE, random);
            MemorySegment.copy(source, 0, bytes(), at, PAGE);
        }
    }

    /** Makes sure that what is found here later was put here later. */
    public void scribble() {
        bytes().fill((byte) 0x5a);
    }

    /**
     * Compares both memories byte by byte.
     *
     * @param other of the same size
     * @return whether all bytes are equal
     */
    public boolean equalTo(ResidentMemory other) {
        return bytes().mismatch(other.bytes()) == -1;
    }

    /** Writes one byte of a page. */
    void touch(long page, byte value) {
        bytes().set(ValueLayout.JAVA_BYTE, page * PAGE, value);
    }

    @Override
    public void close() {
        regions.close();
    }
}
