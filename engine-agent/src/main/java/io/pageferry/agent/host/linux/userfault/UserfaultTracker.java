package io.pageferry.agent.host.linux.userfault;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.memory.PagedMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Tracks writes of this or of another process by {@link Userfault} and {@link PagemapScan}. The
 * limits of both hold. Any thread; one call at a time, the others wait.
 */
public final class UserfaultTracker implements DirtyTracker {
    /**
     * A mapped part of the guest's memory. Memory that is mapped twice needs two ranges.
     *
     * @param address   of its first byte in the tracked process, a multiple of the page size
     * @param length    bytes, a positive multiple of the page size
     * @param firstPage global index of its first page of 4096 bytes
     */
    public record Range(long address, long length, long firstPage) {
        /** Checks the bounds; throws {@link IllegalArgumentException}. */
        public Range {
            if (address % PAGE != 0 || length <= 0 || length % PAGE != 0 || firstPage < 0) {
                throw new IllegalArgumentException("range 0x" + Long.toHexString(address) + " + "
                        + length + " at page " + firstPage + " is not made of pages");
            }
        }

        private int strides() {
            return Math.toIntExact((length / PAGE + STRIDE - 1) / STRIDE);
        }

        /** The first page of a stride, or the one behind the last. */
        private long pageOf(int stride) {
            return Math.min(firstPage + stride * STRIDE, firstPage + length / PAGE);
        }

        private int strideOf(long page) {
            return page >= pageOf(strides()) ? strides()
                    : Math.toIntExact((page - firstPage) / STRIDE);
        }

        private long addressOf(long page) {
            return address + (page - firstPage) * PAGE;
        }

        private long pageAt(long at) {
            return firstPage + (at - address) / PAGE;
        }
    }

    /** Gets a userfaultfd of the tracked process. */
    @FunctionalInterface
    public interface DescriptorSource {
        /**
         * Gets the descriptor of a userfaultfd.
         *
         * @return a fresh descriptor of this process, owned by the caller
         * @throws IOException when there is none
         */
        int get() throws IOException;
    }

    private interface Opener<T> {
        T open() throws IOException;
    }

    private static final int PAGE = 4096;

    /**
     * Pages between two looks for storage, 8 MiB: four pages of page tables, which a lone page
     * may cost, and 128 looks for each GiB that is full.
     */
    private static final long STRIDE = 2048;

    private final Opener<Userfault> userfaults;
    private final Opener<PagemapScan> scans;
    private final List<Range> ranges;
    private final PagedMemory storage;
    /** Strides of each range that were scanned since it was armed. */
    private final Map<Range, BitSet> scanned = new HashMap<>();
    private Userfault userfault;
    private PagemapScan scan;
    private long failures;
    private boolean forked;

    private UserfaultTracker(Opener<Userfault> userfaults, Opener<PagemapScan> scans,
            List<Range> ranges, PagedMemory storage) {
        this.userfaults = userfaults;
        this.scans = scans;
        this.ranges = List.copyOf(ranges);
        this.storage = storage;
    }

    /**
     * Tracks memory of this process.
     *
     * @param ranges every mapping through which it is written
     * @return unarmed
     */
    public static UserfaultTracker ofSelf(List<Range> ranges) {
        return new UserfaultTracker(Userfault::open, PagemapScan::ofSelf, ranges, null);
    }

    /**
     * Tracks memory of another process.
     *
     * @param pid    that process
     * @param source gives its userfaultfd, once for each start: {@link RemoteUserfault} or what
     *               another process took from it
     * @param ranges every mapping of it through which the memory is written
     * @return unarmed
     */
    public static UserfaultTracker ofProcess(long pid, DescriptorSource source,
            List<Range> ranges) {
        return new UserfaultTracker(() -> Userfault.adopt(source.get()),
                () -> PagemapScan.of(pid), ranges, null);
    }

    /**
     * Tracks memory of another process that may fork: its child writes untracked, so its migration
     * asks {@link #hasForked} all the time. A fork waits until it was read there.
     *
     * @param pid    that process
     * @param source gives its userfaultfd, once for each start
     * @param ranges every mapping of it through which the memory is written
     * @return unarmed; arming it needs CAP_SYS_PTRACE
     */
    public static UserfaultTracker ofForking(long pid, DescriptorSource source,
            List<Range> ranges) {
        return new UserfaultTracker(() -> Userfault.adoptTellingForks(source.get()),
                () -> PagemapScan.of(pid), ranges, null);
    }

    /**
     * Leaves large holes alone: to protect them would cost page tables for all of them, 2 MiB for
     * each GiB, and time in every harvest. No write is lost by it: a page that is born in such a
     * hole has storage and no protection, which the next harvest reports as written. What becomes
     * a hole is not reported.
     *
     * @param memory shows where the tracked memory has storage; of the same page indexes
     * @return this tracker so, unarmed
     */
    public UserfaultTracker within(PagedMemory memory) {
        return new UserfaultTracker(userfaults, scans, ranges, memory);
    }

    @Override
    public String name() {
        return "userfaultfd";
    }

    @Override
    public synchronized void start() throws TrackerException {
        if (userfault != null) {
            throw new IllegalStateException("already armed");
        }
        try {
            scan = scans.open();
            userfault = userfaults.open();
            for (Range range : ranges) {
                userfault.register(range.address(), range.length());
            }
            for (Range range : ranges) {
                // The first scan reports every page and arms them all.
                harvest(range, null);
            }
        } catch (IOException | UncheckedIOException e) {
            close();
            throw new TrackerException("tracking cannot start: " + e.getMessage(), e);
        }
    }

    /** {@inheritDoc} A failed scan has marked every page before it throws. */
    @Override
    public synchronized void harvest(DirtyBitmap into) throws TrackerException {
        if (userfault == null) {
            throw new IllegalStateException("not armed");
        }
        try {
            for (Range range : ranges) {
                harvest(range, into);
            }
        } catch (IOException | UncheckedIOException e) {
            failures++;
            into.markAll();
            throw new TrackerException("every page counts as written: " + e.getMessage(), e);
        }
    }

    /** Scans what has storage, or all of it if that is unknown; into null: only to protect. */
    private void harvest(Range range, DirtyBitmap into) throws IOException {
        if (storage == null) {
            scan(range, 0, range.strides(), (from, to) -> mark(range, from, to, into));
            return;
        }
        BitSet known = scanned.computeIfAbsent(range, any -> new BitSet());
        int first = range.strideOf(storage.nextData(range.firstPage()));
        while (first < range.strides()) {
            boolean again = known.get(first);
            int end = first;
            while (end < range.strides() && known.get(end) == again && hasData(range, end)) {
                end++;
            }
            if (end > first) {
                scan(range, first, end, again
                        ? (from, to) -> mark(range, from, to, into)
                        : (from, to) -> markData(range, from, to, into));
                known.set(first, end);
            }
            // Past the first one in any case: its data may have gone between two looks.
            first = range.strideOf(storage.nextData(range.pageOf(Math.max(end, first + 1))));
        }
    }

    private boolean hasData(Range range, int stride) {
        return storage.nextData(range.pageOf(stride)) < range.pageOf(stride + 1);
    }

    private void scan(Range range, int first, int end, PagemapScan.RangeConsumer consumer)
            throws IOException {
        scan.harvest(range.addressOf(range.pageOf(first)), range.addressOf(range.pageOf(end)),
                consumer);
    }

    private static void mark(Range range, long from, long to, DirtyBitmap into) {
        if (into != null) {
            into.markRange(range.pageAt(from), (to - from) / PAGE);
        }
    }

    /**
     * The first scan of a stride also reports its holes. What is born in one after the scan is
     * protected, so the next scan reports it.
     */
    private void markData(Range range, long from, long to, DirtyBitmap into) {
        if (into == null) {
            return;
        }
        long end = range.pageAt(to);
        long page = storage.nextData(range.pageAt(from));
        while (page < end) {
            long hole = Math.min(end, storage.nextHole(page));
            into.markRange(page, hole - page);
            page = storage.nextData(hole);
        }
    }

    /**
     * Returns whether the process forked since it is tracked.
     *
     * @return true from the first fork on; always false but for {@link #ofForking}
     * @throws LinuxException when the kernel does not answer
     */
    public synchronized boolean hasForked() throws LinuxException {
        if (userfault != null && userfault.takeForks() > 0) {
            forked = true;
        }
        return forked;
    }

    /**
     * Counts harvests that failed since the tracker was made.
     *
     * @return 0 in a migration that went well
     */
    public synchronized long failures() {
        return failures;
    }

    @Override
    public synchronized void close() {
        if (userfault != null) {
            for (Range range : ranges) {
                unregister(range);
            }
            userfault.close();
            userfault = null;
        }
        if (scan != null) {
            scan.close();
            scan = null;
        }
        scanned.clear();
    }

    /** Closing does it too, but only where no other process holds a copy of the descriptor. */
    private void unregister(Range range) {
        try {
            userfault.unregister(range.address(), range.length());
        } catch (LinuxException e) {
            return; // never registered, unmapped or ended: nothing is left to undo
        }
    }
}
