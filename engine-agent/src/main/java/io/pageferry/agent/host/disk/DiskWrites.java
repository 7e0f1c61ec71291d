package io.pageferry.agent.host.disk;

import io.pageferry.core.memory.PageGeometry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * Writes that wait for disks. Bytes are copied into a ring; what follows each other becomes one
 * write, which ends where a run of 1 MiB does. Writes into one run are done in their order, one at
 * a time. One thread calls it; others write, so everything is guarded by this object.
 */
final class DiskWrites {
    /** Longest batch that the engine puts at once: 1024 pages. */
    private static final long BATCH_BYTES = 4L << 20;
    /** Each of its pages is cleared by the kernel before it is used: not more than is of use. */
    private static final int RING_BYTES = 16 << 20;
    /** Zeros take no room in the ring. */
    private static final int MOST_WRITES = 2048;
    /** So much is written before a disk is told to have it on its medium. */
    private static final long SYNC_BYTES = 64L << 20;
    private static final int WRITERS = 4;

    private final DiskSet disks;
    private final Executor pool;
    private final MemorySegment ring;
    /** In the order in which they came: those that are to be done, under way, or done. */
    private final Deque<Write> writes = new ArrayDeque<>();
    private final Set<Long> busy = new HashSet<>();
    private final Map<Long, Integer> pending = new HashMap<>();
    private final long[] unsynced;
    private long head;
    private long tail;
    private Write open;
    private boolean held = true;
    private boolean wanted;
    private int writers;
    private IOException failure;

    /** One write: zeros, where it has no bytes in the ring. */
    private static final class Write {
        private final long page;
        private final long run;
        private final long at;
        private int pages;
        private boolean begun;
        private boolean done;

        Write(long page, long run, long at, int pages) {
            this.page = page;
            this.run = run;
            this.at = at;
            this.pages = pages;
        }

        boolean isZeros() {
            return at < 0;
        }
    }

    DiskWrites(DiskSet disks, Executor pool, Arena arena) {
        this.disks = disks;
        this.pool = pool;
        this.ring = arena.allocate(RING_BYTES, PageGeometry.PAGE_SIZE);
        this.unsynced = new long[disks.disks().size()];
    }

    /** Returns whether a batch fits, whatever is in it. */
    synchronized boolean hasRoom() {
        check();
        // What does not fit in before the ring's end begins at its start.
        return RING_BYTES - (tail - head) >= BATCH_BYTES + Disk.RUN_BYTES
                && writes.size() < MOST_WRITES;
    }

    /** Takes pages; all of one disk. */
    synchronized void put(long page, int count, MemorySegment from, long at) {
        check();
        for (int done = 0; done < count;) {
            int pages = disks.inRun(page + done, count - done);
            long bytes = PageGeometry.bytesOf(pages);
            MemorySegment.copy(from, at + PageGeometry.bytesOf(done), ring,
                    place(page + done, pages), bytes);
            done += pages;
        }
        start();
    }

    /** Takes zeros; all of one disk. */
    synchronized void clear(long page, long count) {
        check();
        for (long done = 0; done < count;) {
            int pages = disks.inRun(page + done, count - done);
            if (!goesOn(page + done, true)) {
                add(page + done, -1, pages);
            } else {
                open.pages += pages;
            }
            done += pages;
        }
        start();
    }

    /** Returns where in the ring the bytes of some pages go. */
    private long place(long page, int pages) {
        long bytes = PageGeometry.bytesOf(pages);
        awaitRoom(bytes);
        if (goesOn(page, false) && open.at + PageGeometry.bytesOf(open.pages) == tail
                && tail % RING_BYTES + bytes <= RING_BYTES && tail % RING_BYTES != 0) {
            long place = tail % RING_BYTES;
            open.pages += pages;
            tail += bytes;
            return place;
        }
        long left = RING_BYTES - tail % RING_BYTES;
        tail += left < bytes ? left : 0;
        long place = tail % RING_BYTES;
        add(page, tail, pages);
        tail += bytes;
        return place;
    }

    /** Never waits for an engine that asks {@link #hasRoom} before each batch. */
    private void awaitRoom(long bytes) {
        while (RING_BYTES - (tail - head) < bytes + Disk.RUN_BYTES) {
            start();
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new UncheckedIOException(new IOException("interrupted", e));
            }
            check();
        }
    }

    private boolean goesOn(long page, boolean zeros) {
        return open != null && !open.begun && open.isZeros() == zeros
                && open.page + open.pages == page && runOf(page) == open.run;
    }

    private void add(long page, long at, int pages) {
        open = new Write(page, runOf(page), at, pages);
        writes.add(open);
        pending.merge(open.run, 1, Integer::sum);
    }

    /** The page that its run of 1 MiB begins with. */
    private long runOf(long page) {
        long first = disks.regions().firstPage(disks.regions().regionOf(page));
        return page - (page - first) % DiskSet.RUN_PAGES;
    }

    /** Returns whether something is still to be written in the run of a page. */
    synchronized boolean touch(long page) {
        return pending.containsKey(runOf(page));
    }

    /** The same, asked for a page that is wanted. */
    synchronized boolean isPending(long page) {
        check();
        if (!touch(page)) {
            return false;
        }
        if (open != null && open.run == runOf(page)) {
            // Asked for twice: nothing more is coming behind it for the moment.
            boolean again = wanted;
            wanted = !again;
            if (again) {
                push();
            }
        }
        return true;
    }

    /** Has the last write begin, though more might follow it. */
    synchronized void push() {
        open = null;
        start();
    }

    /** Returns whether everything is written. */
    synchronized boolean isIdle() {
        check();
        return pending.isEmpty();
    }

    /** Begins nothing until {@link #release}. */
    synchronized void hold() {
        held = true;
    }

    /** Begins. */
    synchronized void release() {
        held = false;
        start();
    }

    /** Gives up what is not begun; what is under way ends. */
    synchronized void stop() {
        failure = failure == null ? new IOException("the move is over") : failure;
    }

    private void check() {
        if (failure != null) {
            throw new UncheckedIOException(failure);
        }
    }

    private void start() {
        // One at a time: it begins with starting another one, where there is something for it.
        if (!held && writers < WRITERS && writers == busy.size() && next() != null) {
            writers++;
            pool.execute(this::work);
        }
    }

    /** The first that may begin: of the last one more may follow, unless its run is full. */
    private Write next() {
        for (Write write : writes) {
            boolean mayGrow = write == open && disks.inRun(write.page, Integer.MAX_VALUE)
                    > write.pages;
            if (!write.begun && !mayGrow && !busy.contains(write.run)) {
                return write;
            }
        }
        return null;
    }

    private void work() {
        for (Write write = begin(); write != null; write = begin()) {
            try {
                write(write);
                end(write, null);
            } catch (IOException e) {
                end(write, e);
            } catch (RuntimeException | Error e) {
                end(write, new IOException("cannot write: " + e, e));
            }
        }
    }

    private synchronized Write begin() {
        Write write = held || failure != null ? null : next();
        if (write == null) {
            writers--;
            notifyAll();
        } else {
            write.begun = true;
            busy.add(write.run);
            start();
        }
        return write;
    }

    private void write(Write write) throws IOException {
        Disk disk = disks.diskOf(write.page);
        long offset = disks.offsetOf(write.page);
        long bytes = PageGeometry.bytesOf(write.pages);
        if (write.isZeros()) {
            disk.zero(offset, bytes);
        } else {
            disk.write(offset, ring, write.at % RING_BYTES, bytes);
        }
        if (isSyncDue(disks.regions().regionOf(write.page), bytes)) {
            disk.sync();
        }
    }

    /** Now and then, so that the last time, for which a guest may wait, is short. */
    private synchronized boolean isSyncDue(int disk, long bytes) {
        unsynced[disk] += bytes;
        boolean due = unsynced[disk] >= SYNC_BYTES;
        unsynced[disk] = due ? 0 : unsynced[disk];
        return due;
    }

    private synchronized void end(Write write, IOException e) {
        failure = failure == null ? e : failure;
        write.done = true;
        busy.remove(write.run);
        pending.computeIfPresent(write.run, (run, left) -> left == 1 ? null : left - 1);
        while (!writes.isEmpty() && writes.peek().done) {
            writes.poll();
        }
        head = tail;
        for (Write one : writes) {
            if (!one.isZeros()) {
                head = one.at;
                break;
            }
        }
        notifyAll();
    }
}
