package io.pageferry.agent.host.memory;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * Memory of a guest in shared memory files: each region is a part of one file. Serves as live
 * memory at the source and as image at the target. Owns the files until closed.
 *
 * <p>There are two ways to it ({@link MemoryAccess}); {@link #open} takes the one that is faster on
 * this machine (docs/adr/0042).
 */
public abstract class RegionFiles extends RegionMemory {
    private final List<Part> parts;

    /**
     * Where a region lies.
     *
     * @param file   holds it
     * @param offset of its first byte, a multiple of its granule
     */
    public record Part(SharedMemory file, long offset) {
        /** Whether calls reach all of a region as a mapping of it would, and are allowed to. */
        private boolean isReachedByCalls(Region region, boolean writable) {
            return file.granule() == PageGeometry.PAGE_SIZE
                    // What a mapping has behind the end of a file, a call does not see.
                    && offset + region.size() <= file.size()
                    // Where nobody tells of lost storage, all of it is looked at in the pause: a
                    // mapping shows a page's first word, a call has to copy the page.
                    && (writable ? file.isWritableByDescriptor() : !file.isUnnamed());
        }
    }

    RegionFiles(RegionTable regions, List<Part> parts) {
        super(regions);
        this.parts = List.copyOf(parts);
    }

    /**
     * Opens memory the way that is faster here, where the files allow a choice.
     *
     * @param regions  the layout
     * @param parts    one for each region; the files pass to what is returned
     * @param writable for a target
     * @return the memory
     * @throws LinuxException when a mapping is refused; the files are closed then
     */
    public static RegionFiles open(RegionTable regions, List<Part> parts, boolean writable)
            throws LinuxException {
        boolean choice = regions.regions().stream().allMatch(region ->
                parts.get(region.id()).isReachedByCalls(region, writable));
        return choice && AccessProbe.fastest() == MemoryAccess.FILE
                ? new FileRegions(regions, parts) : new MappedRegions(regions, parts);
    }

    @Override
    final List<Optional<SharedMemory>> files() {
        return parts.stream().map(part -> Optional.of(part.file())).toList();
    }

    /** Closes the files. Idempotent. */
    @Override
    public void close() {
        parts.forEach(part -> part.file().close());
    }

    /**
     * Maps a region for a guest that lives in this process, whichever way this memory is reached.
     *
     * @param region of this memory
     * @param arena  ends the mapping, before this memory is closed
     * @return all of it, shared with everybody who has the file
     * @throws LinuxException when it cannot be mapped
     */
    public final MemorySegment map(int region, Arena arena) throws LinuxException {
        return part(region).file().map(part(region).offset(), regions().region(region).size(),
                arena);
    }

    /** {@return where a region lies} */
    final Part part(int region) {
        return parts.get(region);
    }

    /** {@return where a page lies in its file} */
    final long offsetOf(int region, long page) {
        return parts.get(region).offset() + regions().offsetInRegion(region, page);
    }

    @Override
    final long nextDataIn(int region, long page) throws LinuxException {
        Part part = parts.get(region);
        long found = part.file().nextData(offsetOf(region, page));
        // The end of the file is no data, and need not be the end of a page.
        long pages = found == part.file().size() ? PageGeometry.pagesFor(found - part.offset())
                : Math.max(0, found - part.offset()) >>> PageGeometry.PAGE_SHIFT;
        return Math.max(page, regions().firstPage(region) + pages);
    }

    /** Asks the file, which walks all data up to its end: 50 ns a page, on a core of its own. */
    @Override
    long nextHoleIn(int region, long page) throws LinuxException {
        Part part = parts.get(region);
        long found = part.file().nextHole(offsetOf(region, page)) - part.offset();
        return Math.max(page, regions().firstPage(region)
                + PageGeometry.pagesFor(Math.max(0, found)));
    }
}
