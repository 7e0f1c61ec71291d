package io.pageferry.agent.host.linux.userfault;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Asks a process's page tables which pages were written, or have no entry, by the ioctl
 * PAGEMAP_SCAN (Linux 6.7, {@code linux/fs.h}). Addresses are of that process and multiples of
 * 4096. One thread at a time; no call allocates on the heap. The buffer is 384 KiB.
 */
public final class PagemapScan implements AutoCloseable {
    /** Receives runs of pages. */
    @FunctionalInterface
    public interface RangeConsumer {
        /**
         * Takes one run.
         *
         * @param start address of its first byte
         * @param end   address behind its last byte
         */
        void range(long start, long end);
    }

    private static final long PAGEMAP_SCAN = 0xC0606610L;
    private static final long WP_MATCHING = 1;
    private static final long CHECK_WPASYNC = 2;
    private static final long PAGE_IS_WPALLOWED = 1;
    private static final long PAGE_IS_WRITTEN = 2;
    private static final long PAGE_IS_PRESENT = 8;
    private static final long PAGE_IS_SWAPPED = 16;
    private static final long PROCMAP_QUERY = 0xC0686611L;
    private static final int QUERY_BYTES = 104;
    private static final int ARGUMENT_BYTES = 96;
    private static final int REGION_BYTES = 24;
    private static final int REGIONS = 16384;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment argument = arena.allocate(ARGUMENT_BYTES, Long.BYTES);
    private final MemorySegment regions = arena.allocate(
            (long) REGION_BYTES * REGIONS, Long.BYTES);
    private final MemorySegment query = arena.allocate(QUERY_BYTES, Long.BYTES);
    private final String path;
    private final int fd;
    private final int maps;

    private PagemapScan(String path, int fd, int maps) {
        this.path = path;
        this.fd = fd;
        this.maps = maps;
    }

    private static PagemapScan open(String process) throws LinuxException {
        String path = "/proc/" + process + "/pagemap";
        int fd = Native.open(path, Native.O_RDONLY);
        try {
            return new PagemapScan(path, fd,
                    Native.open("/proc/" + process + "/maps", Native.O_RDONLY));
        } catch (LinuxException e) {
            Native.close(fd);
            throw e;
        }
    }

    /**
     * Opens this process's own page tables.
     *
     * @return a scanner
     * @throws LinuxException when the kernel refuses
     */
    public static PagemapScan ofSelf() throws LinuxException {
        return open("self");
    }

    /**
     * Opens another process's page tables; needs the right to trace it.
     *
     * @param pid a process
     * @return a scanner of the address space that the process has now
     * @throws LinuxException when the kernel refuses or there is no such process
     */
    public static PagemapScan of(long pid) throws LinuxException {
        return open(Long.toString(pid));
    }

    /**
     * Reports the pages that were written since the last harvest and forgets them, in this order
     * for each page, so a caller that then reads a reported page loses no write. The whole range
     * must be registered with a {@link Userfault}. The kernel proves that only of what is mapped:
     * of a range that the process unmapped, or of a process that ended, it would report "not
     * written". So the mappings are looked at afterwards. (What was mapped anew in between is not
     * registered, and fails the next harvest.)
     *
     * @param start    first address
     * @param end      address behind the last; a multiple of the page size of that memory
     * @param consumer receives runs in ascending order
     * @return pages of 4096 bytes reported
     * @throws LinuxException on any failure; notes may be lost then, so that every page of the
     *                        range must be taken as written
     */
    public long harvest(long start, long end, RangeConsumer consumer) throws LinuxException {
        long pages = scan(WP_MATCHING | CHECK_WPASYNC, PAGE_IS_WRITTEN, start, end, consumer);
        if (!isMapped(start, end)) {
            throw new LinuxException("PAGEMAP_SCAN", Native.ENOENT, path + " from 0x"
                    + Long.toHexString(start) + " to 0x" + Long.toHexString(end)
                    + " is no longer mapped as it was registered");
        }
        return pages;
    }

    /**
     * Reports the pages that were written since the last harvest, and forgets nothing.
     *
     * @param start    first address
     * @param end      address behind the last
     * @param consumer receives runs in ascending order
     * @return pages of 4096 bytes reported
     * @throws LinuxException when the kernel refuses
     */
    public long writtenWithoutClearing(long start, long end, RangeConsumer consumer)
            throws LinuxException {
        return scan(0, PAGE_IS_WRITTEN, start, end, consumer);
    }

    /**
     * Returns whether every page of a range is registered for tracking.
     *
     * @param start first address
     * @param end   address behind the last
     * @return false when a part is unmapped or not registered
     * @throws LinuxException when the kernel refuses
     */
    public boolean isWatched(long start, long end) throws LinuxException {
        long pages = scan(0, PAGE_IS_WPALLOWED, start, end, PagemapScan::ignore);
        return pages << 12 == end - start;
    }

    /**
     * Finds a page without an entry in the page table: one that the process never touched through
     * this mapping, that was swapped out, or whose storage was taken away, which also takes the
     * entries of every mapping. Half a millisecond for each GiB that is there.
     *
     * @param start first address
     * @param end   address behind the last
     * @return the first such page's address, or {@code end}
     * @throws LinuxException when the kernel refuses
     */
    public long firstAbsent(long start, long end) throws LinuxException {
        prepare(0, PAGE_IS_PRESENT, end);
        argument.set(JAVA_LONG, 64, PAGE_IS_PRESENT); // category_inverted
        return first(start, end);
    }

    /**
     * Finds a page of private memory that was never written, or was given back: it has neither an
     * entry in the page table nor a place in the swap.
     *
     * @param start first address
     * @param end   address behind the last
     * @return the first such page's address, or {@code end}
     * @throws LinuxException when the kernel refuses
     */
    public long firstHole(long start, long end) throws LinuxException {
        prepare(0, PAGE_IS_PRESENT | PAGE_IS_SWAPPED, end);
        argument.set(JAVA_LONG, 64, PAGE_IS_PRESENT | PAGE_IS_SWAPPED);
        return first(start, end);
    }

    /**
     * Finds the opposite of {@link #firstHole}.
     *
     * @param start first address
     * @param end   address behind the last
     * @return the first such page's address, or {@code end}
     * @throws LinuxException when the kernel refuses
     */
    public long firstData(long start, long end) throws LinuxException {
        prepare(0, 0, end);
        argument.set(JAVA_LONG, 80, PAGE_IS_PRESENT | PAGE_IS_SWAPPED); // category_anyof_mask
        argument.set(JAVA_LONG, 88, PAGE_IS_PRESENT | PAGE_IS_SWAPPED); // return_mask
        return first(start, end);
    }

    private long first(long start, long end) throws LinuxException {
        argument.set(JAVA_LONG, 48, 1); // vec_len
        argument.set(JAVA_LONG, 56, 1); // max_pages
        for (long at = start; at < end;) {
            if (ask(at, end) > 0) {
                return regions.get(JAVA_LONG, 0);
            }
            at = walked(at);
        }
        return end;
    }

    /** Without looking at each page, as {@link #isWatched} does at 2.7 ms for each GiB. */
    private boolean isMapped(long start, long end) throws LinuxException {
        query.fill((byte) 0);
        query.set(JAVA_LONG, 0, QUERY_BYTES);
        long at = start;
        while (at < end) {
            query.set(JAVA_LONG, 16, at); // query_addr; no flags: the mapping that covers it
            int result = Native.ioctl(maps, PROCMAP_QUERY, query);
            if (result == -Native.ENOTTY) {
                return isWatched(start, end); // older than Linux 6.11
            }
            if (result == -Native.ENOENT || result == -Native.ESRCH) {
                return false;
            }
            Native.check(result, "PROCMAP_QUERY", path);
            at = query.get(JAVA_LONG, 32); // vma_end
        }
        return true;
    }

    private static void ignore(long start, long end) {
        // only the count is wanted
    }

    private long scan(long flags, long category, long start, long end, RangeConsumer consumer)
            throws LinuxException {
        long pages = 0;
        long at = start;
        prepare(flags, category, end);
        while (at < end) {
            pages += report(ask(at, end), consumer);
            at = walked(at);
        }
        return pages;
    }

    /** Returns how many regions the kernel filled in. */
    private int ask(long at, long end) throws LinuxException {
        argument.set(JAVA_LONG, 16, at);
        int count = Native.ioctl(fd, PAGEMAP_SCAN, argument);
        if (count < 0) {
            throw new LinuxException("PAGEMAP_SCAN", -count, path + " from 0x"
                    + Long.toHexString(at) + " to 0x" + Long.toHexString(end));
        }
        return count;
    }

    /** Where the last question ended. */
    private long walked(long from) throws LinuxException {
        long walked = argument.get(JAVA_LONG, 32);
        if (walked <= from) { // would turn round for ever
            throw new LinuxException("PAGEMAP_SCAN", Native.EAGAIN,
                    path + " made no way from 0x" + Long.toHexString(from));
        }
        return walked;
    }

    /** Fills struct pm_scan_arg, but for the start. */
    private void prepare(long flags, long category, long end) {
        argument.fill((byte) 0);
        argument.set(JAVA_LONG, 0, ARGUMENT_BYTES);
        argument.set(JAVA_LONG, 8, flags);
        argument.set(JAVA_LONG, 24, end);
        argument.set(JAVA_LONG, 40, regions.address());
        argument.set(JAVA_LONG, 48, REGIONS);
        argument.set(JAVA_LONG, 72, category); // category_mask
        argument.set(JAVA_LONG, 88, category); // return_mask
    }

    private long report(int count, RangeConsumer consumer) {
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            long start = regions.get(JAVA_LONG, (long) i * REGION_BYTES);
            long end = regions.get(JAVA_LONG, (long) i * REGION_BYTES + Long.BYTES);
            consumer.range(start, end);
            bytes += end - start;
        }
        return bytes >>> 12;
    }

    /** Closes the descriptors and frees the buffer. Idempotent. */
    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            Native.close(fd);
            Native.close(maps);
            arena.close();
        }
    }
}
