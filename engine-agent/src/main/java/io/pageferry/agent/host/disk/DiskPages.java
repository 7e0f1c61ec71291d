package io.pageferry.agent.host.disk;

import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The pages of disks at the source, read past the page cache by threads of its own. It never waits
 * for a disk. Closes neither the disks nor what it read them by.
 */
public final class DiskPages implements PageSource, AutoCloseable {
    /** 8 MiB ahead, and a run that nobody asked for ahead. */
    private static final int SLOTS = 9;

    private final DiskSet disks;
    private final DiskPool pool = new DiskPool();
    private final Arena arena = Arena.ofShared();
    private final DiskReads reads;
    private boolean closed;

    /**
     * Begins with disks that are held.
     *
     * @param disks  stay the caller's, open until this is closed
     * @param errors what is done about what cannot be read
     */
    public DiskPages(DiskSet disks, ReadErrors errors) {
        this.disks = disks;
        this.reads = new DiskReads(disks, pool, errors, arena, SLOTS);
    }

    @Override
    public RegionTable regions() {
        return disks.regions();
    }

    @Override
    public boolean answersLater() {
        return true;
    }

    @Override
    public int ask(long page, int count) {
        return reads.ask(page, count);
    }

    @Override
    public int read(long page, int count, MemorySegment into, long at) {
        return reads.take(page, count, into, at);
    }

    @Override
    public void forgetReads() {
        reads.forget();
    }

    /** A hole of a file is read as zeros, and stays one. */
    @Override
    public boolean readsHoles() {
        return true;
    }

    @Override
    public long nextData(long page) {
        return disks.nextData(page);
    }

    @Override
    public long nextHole(long page) {
        return disks.nextHole(page);
    }

    /** Waits for the reads that are under way. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            if (pool.end()) {
                arena.close();
            }
        }
    }
}
