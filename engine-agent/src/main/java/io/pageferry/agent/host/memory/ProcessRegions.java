package io.pageferry.agent.host.memory;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.process.ProcessMemory;
import io.pageferry.agent.host.linux.userfault.PagemapScan;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * Memory of a guest that is private to a process, reached by its addresses there. Regions of shared
 * memory can be among them. What is written fills that process's own page tables, so its guest need
 * not. Confined to one thread, but for the layout and for reading.
 */
public final class ProcessRegions extends RegionMemory {
    private final long pid;
    private final List<Part> parts;
    private final ProcessMemory memory;
    private final PagemapScan tables;

    /**
     * Where a region lies.
     *
     * @param address of its first byte in the process
     * @param shared  whether what is written there reaches the file
     * @param file    what is seen of it where the process wrote nothing; passes to the memory
     * @param offset  of the first byte in the file
     */
    public record Part(long address, boolean shared, Optional<SharedMemory> file, long offset) {
    }

    private ProcessRegions(long pid, RegionTable regions, List<Part> parts,
            ProcessMemory memory, PagemapScan tables) {
        super(regions);
        this.pid = pid;
        this.parts = List.copyOf(parts);
        this.memory = memory;
        this.tables = tables;
    }

    /**
     * Opens the memory of a process; needs the right to trace it.
     *
     * @param pid      the process
     * @param regions  the layout
     * @param parts    one for each region; their files pass to what is returned
     * @param writable for a target
     * @return the memory
     * @throws LinuxException when the kernel refuses; the files are closed then
     */
    public static ProcessRegions open(long pid, RegionTable regions, List<Part> parts,
            boolean writable) throws LinuxException {
        ProcessMemory memory = null;
        try {
            memory = ProcessMemory.open(pid, writable);
            return new ProcessRegions(pid, regions, parts, memory, PagemapScan.of(pid));
        } catch (LinuxException e) {
            if (memory != null) {
                memory.close();
            }
            parts.forEach(part -> part.file().ifPresent(SharedMemory::close));
            throw e;
        }
    }

    @Override
    public MemoryAccess access() {
        return MemoryAccess.PROCESS;
    }

    @Override
    List<Optional<SharedMemory>> files() {
        return parts.stream().map(part -> part.file().filter(file -> part.shared())).toList();
    }

    @Override
    public int read(long page, int count, MemorySegment into, long at) {
        try {
            memory.read(addressOf(regions().regionOf(page), page), into, at,
                    PageGeometry.bytesOf(count));
        } catch (LinuxException e) {
            throw failed(e);
        }
        return count;
    }

    @Override
    public void put(long page, int count, MemorySegment from, long at) {
        try {
            memory.write(addressOf(regions().regionOf(page), page), from, at,
                    PageGeometry.bytesOf(count));
        } catch (LinuxException e) {
            throw failed(e);
        }
    }

    @Override
    UncheckedIOException failed(LinuxException e) {
        return e.errno() == Native.ESRCH
                ? new PagedMemory.GoneException("process " + pid + " of the guest ended", e)
                : new UncheckedIOException(e);
    }

    @Override
    public void clear(long page, long count) {
        overwrite(page, count);
    }

    /** No call gives another process's holes storage: zeros are written into them. */
    @Override
    public void populate() throws LinuxException {
        long end = regions().pageCount();
        for (long at = nextHole(0); at < end; at = nextHole(at)) {
            int region = regions().regionOf(at);
            long stop = Math.min(nextData(at), regions().endPage(region));
            while (at < stop) {
                int run = (int) Math.min(stop - at, PagedMemory.RUN_PAGES);
                memory.write(addressOf(region, at), ZEROS, 0, PageGeometry.bytesOf(run));
                at += run;
            }
        }
    }

    private long addressOf(int region, long page) {
        return parts.get(region).address() + regions().offsetInRegion(region, page);
    }

    /** Under a lock, as {@link #nextHoleIn}: the scanner serves one thread at a time. */
    @Override
    synchronized long nextDataIn(int region, long page) throws LinuxException {
        Part part = parts.get(region);
        long fromFile = part.file().isEmpty() ? Long.MAX_VALUE
                : inFile(part, region, part.file().get().nextData(offsetOf(region, page)));
        return part.shared() ? fromFile
                : Math.min(fromFile, inTables(region, tables.firstData(addressOf(region, page),
                        endOf(region))));
    }

    /** What is neither in the page tables nor in the file. */
    @Override
    synchronized long nextHoleIn(int region, long page) throws LinuxException {
        Part part = parts.get(region);
        long end = regions().endPage(region);
        for (long at = page; at < end;) {
            long hole = part.shared() ? at : inTables(region, tables.firstHole(
                    addressOf(region, at), endOf(region)));
            if (part.file().isEmpty() || hole >= end) {
                return hole;
            }
            at = inFile(part, region, part.file().get().nextHole(offsetOf(region, hole)));
            if (at == hole) {
                return hole;
            }
            // The file has no hole before: whether the tables have one there, too, is asked again.
        }
        return end;
    }

    private long endOf(int region) {
        return parts.get(region).address() + pageBytes(regions().region(region));
    }

    private static long pageBytes(Region region) {
        return PageGeometry.bytesOf(PageGeometry.pagesFor(region.size()));
    }

    private long offsetOf(int region, long page) {
        return parts.get(region).offset() + regions().offsetInRegion(region, page);
    }

    private long inTables(int region, long address) {
        return regions().firstPage(region)
                + (address - parts.get(region).address() >>> PageGeometry.PAGE_SHIFT);
    }

    private long inFile(Part part, int region, long offset) {
        return Math.min(regions().endPage(region), regions().firstPage(region)
                + (offset - part.offset() >>> PageGeometry.PAGE_SHIFT));
    }

    /** Closes the process's memory and the files. Idempotent. */
    @Override
    public void close() {
        memory.close();
        tables.close();
        parts.forEach(part -> part.file().ifPresent(SharedMemory::close));
    }
}
