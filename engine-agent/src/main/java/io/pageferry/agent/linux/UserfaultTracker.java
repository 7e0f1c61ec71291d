package io.pageferry.agent.linux;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerException;
import java.io.IOException;
import java.util.List;

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
    }

    /** Gets a userfaultfd of the tracked process. */
    @FunctionalInterface
    public interface DescriptorSource {
        /**
         * Gets it.
         *
         * @return a fresh descriptor of this process, owned by the caller
         * @throws IOException when there is none to be had
         */
        int get() throws IOException;
    }

    private interface Opener<T> {
        T open() throws IOException;
    }

    private static final int PAGE = 4096;

    private final Opener<Userfault> userfaults;
    private final Opener<PagemapScan> scans;
    private final List<Range> ranges;
    private Userfault userfault;
    private PagemapScan scan;
    private long failures;

    private UserfaultTracker(Opener<Userfault> userfaults, Opener<PagemapScan> scans,
            List<Range> ranges) {
        this.userfaults = userfaults;
        this.scans = scans;
        this.ranges = List.copyOf(ranges);
    }

    /**
     * Tracks memory of this process.
     *
     * @param ranges every mapping through which it is written
     * @return unarmed
     */
    public static UserfaultTracker ofSelf(List<Range> ranges) {
        return new UserfaultTracker(Userfault::open, PagemapScan::ofSelf, ranges);
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
                () -> PagemapScan.of(pid), ranges);
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
                scan.harvest(range.address(), range.address() + range.length(), (from, to) -> { });
            }
        } catch (IOException e) {
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
                scan.harvest(range.address(), range.address() + range.length(),
                        (from, to) -> mark(into, range, from, to));
            }
        } catch (IOException e) {
            failures++;
            into.markAll();
            throw new TrackerException("every page counts as written: " + e.getMessage(), e);
        }
    }

    private static void mark(DirtyBitmap into, Range range, long from, long to) {
        into.markRange(range.firstPage() + (from - range.address()) / PAGE, (to - from) / PAGE);
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
