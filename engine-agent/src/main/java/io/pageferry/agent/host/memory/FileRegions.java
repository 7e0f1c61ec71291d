package io.pageferry.agent.host.memory;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.core.codec.page.ZeroCodec;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Memory of a guest in files, reached by system calls: no page of it is ever mapped here. A hole is
 * read as zeros and stays one. Confined to one thread, but for the layout.
 */
public final class FileRegions extends RegionFiles {
    private static final int RUN_BYTES = PagedMemory.RUN_PAGES * PageGeometry.PAGE_SIZE;
    private static final MemorySegment ZEROS = Arena.global().allocate(RUN_BYTES);

    /** The file of each region, to be looked at. */
    private final List<Path> files;
    /** Of a clear: what is there. */
    private MemorySegment found;

    /**
     * Takes the files.
     *
     * @param regions the layout
     * @param parts   one for each region, all of it inside its file; the files pass to this memory
     */
    public FileRegions(RegionTable regions, List<Part> parts) {
        super(regions, parts);
        this.files = parts.stream().map(part -> part.file().procPath()).toList();
    }

    @Override
    public MemoryAccess access() {
        return MemoryAccess.FILE;
    }

    @Override
    public boolean readsHoles() {
        return true;
    }

    @Override
    public int read(long page, int count, MemorySegment into, long at) {
        int region = regions().regionOf(page);
        long bytes = PageGeometry.bytesOf(count);
        try {
            if (part(region).file().read(offsetOf(region, page), into, at, bytes) < bytes) {
                throw new IOException("page " + page + " of " + regions().region(region).name()
                        + " cannot be read: its file was made shorter");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return count;
    }

    @Override
    public void put(long page, int count, MemorySegment from, long at) {
        int region = regions().regionOf(page);
        requireWhole(region);
        try {
            part(region).file().write(offsetOf(region, page), from, at,
                    PageGeometry.bytesOf(count));
        } catch (LinuxException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Looks once more whether what was proved can still be there. */
    @Override
    public boolean flush() {
        regions().regions().forEach(region -> requireWhole(region.id()));
        return true;
    }

    /**
     * A file that is cut short loses pages that were proved, and a write would make it longer again
     * and hide that. A mapping faults where this looks.
     */
    private void requireWhole(int region) {
        try {
            if (Files.size(files.get(region)) < part(region).file().size()) {
                throw new IOException("the file of " + regions().region(region).name()
                        + " was made shorter");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Zeros are written over what is not zero alone: a hole would get storage. */
    @Override
    public void clear(long page, long count) {
        long end = page + count;
        for (long at = nextData(page); at < end;) {
            long regionEnd = regions().endPage(regions().regionOf(at));
            int run = (int) Math.min(Math.min(end, regionEnd) - at, PagedMemory.RUN_PAGES);
            clearRun(at, run);
            at = nextData(at + run);
        }
    }

    private void clearRun(long page, int count) {
        if (found == null) {
            found = Arena.ofAuto().allocate(RUN_BYTES);
        }
        read(page, count, found, 0);
        for (int i = 0; i < count; i++) {
            int first = i;
            while (i < count && !ZeroCodec.isZero(found, PageGeometry.bytesOf(i))) {
                i++;
            }
            if (i > first) {
                put(page + first, i - first, ZEROS, 0);
            }
        }
    }

    @Override
    public void populate() throws LinuxException {
        for (Region region : regions().regions()) {
            part(region.id()).file().allocate(part(region.id()).offset(), region.size());
        }
    }
}
