package io.pageferry.agent.host.memory;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.core.codec.page.ZeroCodec;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.WatchedTracker;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * Memory of a guest on this host, whichever way it is reached ({@link MemoryAccess}). Serves as
 * live memory at the source and as image at the target. Owns what it is reached by until closed.
 */
public abstract class RegionMemory implements PageSource, PageStore, AutoCloseable {
    private static final int RUN_BYTES = PagedMemory.RUN_PAGES * PageGeometry.PAGE_SIZE;
    static final MemorySegment ZEROS = Arena.global().allocate(RUN_BYTES);

    private final RegionTable regions;
    /** Of {@link #overwrite}: what is there. */
    private MemorySegment found;

    RegionMemory(RegionTable regions) {
        this.regions = regions;
    }

    /** {@return how this memory is reached} */
    public abstract MemoryAccess access();

    /** {@return the files that hold the regions, in their order; empty for private memory} */
    abstract List<Optional<SharedMemory>> files();

    /** Finds data behind a page of a region; may answer that there is none in it. */
    abstract long nextDataIn(int region, long page) throws LinuxException;

    /** Finds a hole behind a page of a region; may answer that there is none in it. */
    abstract long nextHoleIn(int region, long page) throws LinuxException;

    /**
     * Gives every page storage, so that the first write of each costs nothing.
     *
     * @throws LinuxException when the host has not enough memory
     */
    public abstract void populate() throws LinuxException;

    @Override
    public abstract void close();

    @Override
    public final boolean readsFromAnyThread() {
        return true;
    }

    @Override
    public final RegionTable regions() {
        return regions;
    }

    @Override
    public final long nextData(long page) {
        return next(page, true);
    }

    @Override
    public final long nextHole(long page) {
        return next(page, false);
    }

    /**
     * Counts what is not a hole.
     *
     * @return bytes with storage
     */
    public final long dataBytes() {
        long pages = 0;
        long end = regions.pageCount();
        for (long at = nextData(0); at < end; at = nextData(at)) {
            long hole = nextHole(at);
            pages += hole - at;
            at = hole;
        }
        return PageGeometry.bytesOf(pages);
    }

    /**
     * Completes a tracker of stores for memory that others can change too: what files hold. Private
     * memory changes by stores alone, and by being given back, which leaves a hole.
     *
     * @param stores tracks this memory; unarmed, owned by what is returned
     * @param deaf   whether memory without a name, of whose changes nothing is heard, may also be
     *               written by a descriptor ({@code write(2)} to a memfd)
     * @return finds what changes without a store; to be closed before this memory
     */
    public final DirtyTracker watched(DirtyTracker stores, boolean deaf) {
        return files().stream().allMatch(Optional::isEmpty) ? stores
                : new WatchedTracker(stores, new StorageWatch(files(), deaf), this);
    }

    /** Searches region by region: holes of one do not matter to the next. */
    private long next(long page, boolean data) {
        long at = page;
        while (at < regions.pageCount()) {
            int region = regions.regionOf(at);
            long found = nextIn(region, at, data);
            if (found < regions.endPage(region)) {
                return found;
            }
            at = regions.endPage(region);
        }
        return regions.pageCount();
    }

    private long nextIn(int region, long page, boolean data) {
        try {
            return data ? nextDataIn(region, page) : nextHoleIn(region, page);
        } catch (LinuxException e) {
            throw failed(e);
        }
    }

    /** What a failure of the kernel's means. */
    UncheckedIOException failed(LinuxException e) {
        return new UncheckedIOException(e);
    }

    /** Writes zeros over what is not zero, and over nothing else: a hole would get storage. */
    final void overwrite(long page, long count) {
        long end = page + count;
        for (long at = nextData(page); at < end;) {
            long stop = Math.min(end, regions.endPage(regions.regionOf(at)));
            if (!readsHoles()) {
                stop = Math.min(stop, nextHole(at));
            }
            int run = (int) Math.min(stop - at, PagedMemory.RUN_PAGES);
            overwriteRun(at, run);
            at = nextData(at + run);
        }
    }

    private void overwriteRun(long page, int count) {
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
}
