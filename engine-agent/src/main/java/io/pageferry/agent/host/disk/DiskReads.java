package io.pageferry.agent.host.disk;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PagedMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * Runs of disks that are being read, or were and are waiting to be taken: each at most 1 MiB, in a
 * slot that is used again. A page is given once; asked for again it is read again. One thread calls
 * it; others read.
 */
final class DiskReads {
    private static final int PAGE = PageGeometry.PAGE_SIZE;

    private final DiskSet disks;
    private final Executor pool;
    private final ReadErrors errors;
    private final List<Slot> slots = new ArrayList<>();

    private static final class Slot {
        private final MemorySegment memory;
        /** The pages that can still be taken. */
        private long first;
        private int count;
        /** Where the first lies in the slot. */
        private int at;
        private boolean stale;
        private IOException failure;
        /** Written by the reader last. */
        private volatile boolean reading;

        Slot(Arena arena) {
            this.memory = arena.allocate(Disk.RUN_BYTES, PAGE);
        }

        boolean isFree() {
            if (stale && !reading) {
                count = 0;
                stale = false;
            }
            return count == 0;
        }

        boolean has(long page) {
            return !isFree() && !stale && page >= first && page < first + count;
        }
    }

    /** Keeps so many slots; one of them is for what nobody asked for ahead. */
    DiskReads(DiskSet disks, Executor pool, ReadErrors errors, Arena arena, int most) {
        this.disks = disks;
        this.pool = pool;
        this.errors = errors;
        for (int i = 0; i < most; i++) {
            slots.add(new Slot(arena));
        }
    }

    /** Asks for a run; returns how many pages of it are on their way, 0 where no slot is free. */
    int ask(long page, int count) {
        Slot there = find(page);
        if (there != null) {
            return (int) Math.min(count, there.first + there.count - page);
        }
        long free = slots.stream().filter(Slot::isFree).count();
        return free < 2 ? 0 : begin(free(), page, count);
    }

    /** Gives pages that were read, or asks for them. */
    int take(long page, int count, MemorySegment into, long to) {
        Slot slot = find(page);
        if (slot == null) {
            Slot free = free();
            if (free != null) {
                begin(free, page, count);
            }
            return PagedMemory.NOT_YET;
        }
        if (slot.reading) {
            return PagedMemory.NOT_YET;
        }
        if (slot.failure != null) {
            slot.count = 0;
            throw new UncheckedIOException(slot.failure);
        }
        int skipped = (int) (page - slot.first);
        int given = Math.min(count, slot.count - skipped);
        MemorySegment.copy(slot.memory, (long) (slot.at + skipped) * PAGE, into, to,
                (long) given * PAGE);
        slot.first = page + given;
        slot.at += skipped + given;
        slot.count -= skipped + given;
        return given;
    }

    /** Drops everything. */
    void forget() {
        slots.forEach(DiskReads::drop);
    }

    /** Drops what is not what stands on the disk any more. */
    void forget(long page, long count) {
        for (Slot slot : slots) {
            if (slot.count > 0 && slot.first < page + count && page < slot.first + slot.count) {
                drop(slot);
            }
        }
    }

    private static void drop(Slot slot) {
        slot.stale = slot.count > 0;
        slot.isFree();
    }

    private Slot find(long page) {
        for (Slot slot : slots) {
            if (slot.has(page)) {
                return slot;
            }
        }
        return null;
    }

    /** Something is always given up for a page that is wanted now, unless all is being read. */
    private Slot free() {
        Slot ready = null;
        for (Slot slot : slots) {
            if (slot.isFree()) {
                return slot;
            }
            ready = slot.reading ? ready : slot;
        }
        if (ready != null) {
            ready.count = 0;
        }
        return ready;
    }

    private int begin(Slot slot, long page, int count) {
        slot.first = page;
        slot.count = disks.inRun(page, count);
        slot.at = 0;
        slot.stale = false;
        slot.failure = null;
        slot.reading = true;
        int pages = slot.count;
        pool.execute(() -> read(slot, page, pages));
        return pages;
    }

    private void read(Slot slot, long page, int pages) {
        Disk disk = disks.diskOf(page);
        long offset = disks.offsetOf(page);
        try {
            read(disk, offset, slot.memory, pages);
        } catch (IOException e) {
            slot.failure = e;
        } catch (RuntimeException | Error e) {
            slot.failure = new IOException(disk + " cannot be read: " + e, e);
        } finally {
            slot.reading = false;
        }
    }

    private void read(Disk disk, long offset, MemorySegment into, int pages)
            throws IOException {
        try {
            disk.read(offset, into, 0, (long) pages * PAGE);
        } catch (LinuxException e) {
            for (int i = 0; i < pages; i++) {
                readOne(disk, offset + (long) i * PAGE, into, (long) i * PAGE);
            }
        }
    }

    private void readOne(Disk disk, long offset, MemorySegment into, long at)
            throws IOException {
        try {
            disk.read(offset, into, at, PAGE);
        } catch (LinuxException e) {
            errors.on(disk, disk.badSector(offset, into.asSlice(at, PAGE)), e);
            into.asSlice(at, PAGE).fill((byte) 0);
        }
    }
}
