package io.pageferry.agent.host.memory;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Memory of a guest in files, reached by system calls: no page of it is ever mapped here. A hole is
 * read as zeros and stays one. Confined to one thread, but for the layout and for reading.
 */
public final class FileRegions extends RegionFiles {
    /** The file of each region, to be looked at. */
    private final List<Path> paths;

    /**
     * Takes the files.
     *
     * @param regions the layout
     * @param parts   one for each region, all of it inside its file; the files pass to this memory
     */
    public FileRegions(RegionTable regions, List<Part> parts) {
        super(regions, parts);
        this.paths = parts.stream().map(part -> part.file().procPath()).toList();
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
                        + " cannot be read: its file was cut short");
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
            if (Files.size(paths.get(region)) < part(region).file().size()) {
                throw new IOException("the file of " + regions().region(region).name()
                        + " was cut short");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void clear(long page, long count) {
        overwrite(page, count);
    }

    @Override
    public void populate() throws LinuxException {
        for (Region region : regions().regions()) {
            part(region.id()).file().allocate(part(region.id()).offset(), region.size());
        }
    }
}
