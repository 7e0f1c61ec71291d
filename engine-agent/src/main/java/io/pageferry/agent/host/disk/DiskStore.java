package io.pageferry.agent.host.disk;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The pages of disks at the target, written and read back past the page cache by threads of its
 * own: what is read was on the medium. It never waits for a disk. The first MiB of each is kept
 * here until {@link #flush}, which writes it last and looks at the medium itself.
 */
public final class DiskStore implements PageStore, AutoCloseable {
    /** 4 MiB ahead, and a run that nobody asked for ahead. */
    private static final int SLOTS = 5;
    private static final long ABANDON_SECONDS = 5;

    private final DiskSet disks;
    private final DiskPool pool = new DiskPool();
    private final Arena arena = Arena.ofShared();
    private final DiskHeads heads;
    private final DiskWrites writes;
    private final DiskReads reads;
    /** What is done to the first MiB, one after another. */
    private CompletableFuture<Void> headWork;
    private boolean completing;
    private long highest = -1;
    private long expected = -1;
    private boolean closed;

    /**
     * Begins to fill disks that are held, with zeros for the first MiB of each.
     *
     * @param disks stay the caller's, open until this is closed
     */
    public DiskStore(DiskSet disks) {
        this.disks = disks;
        this.heads = new DiskHeads(disks, arena);
        this.writes = new DiskWrites(disks, pool, arena);
        this.reads = new DiskReads(disks, pool, ReadErrors.stop(), arena, SLOTS);
        this.headWork = CompletableFuture.runAsync(this::blank, pool);
    }

    private void blank() {
        quietly(heads::blank);
        writes.release();
    }

    private interface Act {
        void run() throws IOException;
    }

    private static void quietly(Act act) {
        try {
            act.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public RegionTable regions() {
        return disks.regions();
    }

    @Override
    public boolean hasRoom() {
        checkHeads();
        return writes.hasRoom();
    }

    @Override
    public void put(long page, int count, MemorySegment from, long at) {
        unfinish();
        reads.forget(page, count);
        highest = Math.max(highest, page + count - 1);
        int kept = heads.kept(page, count);
        if (kept > 0) {
            heads.put(page, kept, from, at);
        }
        if (kept < count) {
            writes.put(page + kept, count - kept, from,
                    at + PageGeometry.bytesOf(kept));
        }
    }

    @Override
    public void clear(long page, long count) {
        unfinish();
        reads.forget(page, count);
        highest = Math.max(highest, page + count - 1);
        int kept = heads.kept(page, count);
        if (kept > 0) {
            heads.clear(page, kept);
        }
        if (kept < count) {
            writes.clear(page + kept, count - kept);
        }
    }

    /** What is put behind a flush was not proved with the rest: it is a half disk again. */
    private void unfinish() {
        if (completing) {
            completing = false;
            writes.hold();
            headWork = headWork.handle((done, failed) -> null).thenRunAsync(this::blank, pool);
        }
    }

    @Override
    public int read(long page, int count, MemorySegment into, long at) {
        int kept = heads.kept(page, count);
        if (kept > 0) {
            heads.read(page, kept, into, at);
            return kept;
        }
        checkHeads();
        if (writes.isPending(page)) {
            return NOT_YET;
        }
        if (page == expected) {
            askAhead(page);
        }
        int given = reads.take(page, disks.inRun(page, count), into, at);
        expected = given > 0 ? page + given : expected;
        return given;
    }

    /**
     * Asks for a page and for what follows, as far as it was written; all of it where nothing ever
     * was.
     */
    private void askAhead(long page) {
        long end = page > highest ? disks.regions().pageCount() : highest + 1;
        long next = page;
        for (int i = 0; i < SLOTS && next < end; i++) {
            int run = disks.inRun(next, end - next);
            if (writes.touch(next) || reads.ask(next, run) == 0) {
                return;
            }
            next += run;
        }
    }

    @Override
    public void forgetReads() {
        reads.forget();
    }

    @Override
    public boolean readsHoles() {
        return true;
    }

    /** What is kept here is data, and all of it is while something is still to be written. */
    @Override
    public long nextData(long page) {
        return page == regions().pageCount() || writes.isIdle() && heads.kept(page, 1) == 0
                ? disks.nextData(page) : page;
    }

    @Override
    public long nextHole(long page) {
        long end = regions().pageCount();
        if (!writes.isIdle()) {
            return end;
        }
        return page == end ? end : disks.nextHole(page + heads.kept(page, DiskSet.RUN_PAGES));
    }

    @Override
    public boolean flush() {
        checkHeads();
        if (!writes.isIdle()) {
            writes.push();
            return false;
        }
        if (!completing) {
            completing = true;
            headWork = headWork.thenRunAsync(() -> quietly(heads::complete), pool);
        }
        return headWork.isDone();
    }

    private void checkHeads() {
        if (!headWork.isCompletedExceptionally()) {
            return;
        }
        try {
            headWork.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof UncheckedIOException io
                    ? new UncheckedIOException(io.getCause())
                    : new UncheckedIOException(new IOException(e.getCause()));
        }
    }

    /**
     * Gives the disks up: what is under way ends, and the first MiB of each is zero. Waits for
     * that, some seconds at most.
     *
     * @throws IOException where the first MiB of a disk could not be made zero
     */
    public void abandon() throws IOException {
        writes.stop();
        CompletableFuture<Void> last = headWork.handle((done, failed) -> null)
                .thenRunAsync(() -> quietly(heads::blank), pool);
        try {
            last.get(ABANDON_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IOException(e.getCause().getMessage(), e);
        } catch (TimeoutException e) {
            throw new IOException("the disk does not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** Waits for the calls that are under way. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            writes.stop();
            if (pool.end()) {
                arena.close();
            }
        }
    }
}
