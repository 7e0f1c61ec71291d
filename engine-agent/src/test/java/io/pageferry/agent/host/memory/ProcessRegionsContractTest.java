package io.pageferry.agent.host.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.process.ProcessMemory;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.memory.PageSourceContract;
import io.pageferry.core.testing.memory.PageStoreContract;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The contracts of memory, kept by a process's own: private, of a private file, and shared. */
class ProcessRegionsContractTest {
    private static final long LOW = 80;
    private static final long MIDDLE = 9;
    private static final long HIGH = 5;
    private static final long PAGES = LOW + MIDDLE + HIGH;
    private static final int LOOKS = 20_000;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = 0x20;

    /** What a guest has: anonymous memory, a file of which it sees a copy, and a file. */
    private static final class Guest implements AutoCloseable {
        private final SharedMemory copied;
        private final SharedMemory shared;
        private final long[] addresses;
        private final ProcessRegions regions;

        Guest() {
            try {
                copied = SharedMemory.create("copied", PageGeometry.bytesOf(MIDDLE));
                shared = SharedMemory.create("shared", PageGeometry.bytesOf(HIGH));
                addresses = new long[] {map(LOW, MAP_PRIVATE | MAP_ANONYMOUS, null),
                        map(MIDDLE, MAP_PRIVATE, copied), map(HIGH, MAP_SHARED, shared)};
                regions = ProcessRegions.open(ProcessHandle.current().pid(), table(), List.of(
                        new ProcessRegions.Part(addresses[0], false, Optional.empty(), 0),
                        part(1, false, copied), part(2, true, shared)), true);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        private ProcessRegions.Part part(int region, boolean isShared, SharedMemory file)
                throws IOException {
            return new ProcessRegions.Part(addresses[region], isShared, Optional.of(isShared
                    ? SharedMemory.openReadWrite(file.procPath())
                    : SharedMemory.openReadOnly(file.procPath())), 0);
        }

        private static RegionTable table() {
            return new RegionTable(List.of(region(0, "low", LOW), region(1, "middle", MIDDLE),
                    region(2, "high", HIGH)));
        }

        private static Region region(int id, String name, long pages) {
            return new Region(id, name, (long) id << 32, PageGeometry.bytesOf(pages),
                    PageGeometry.PAGE_SIZE);
        }

        private static long map(long pages, int flags, SharedMemory file) throws LinuxException {
            int fd = file == null ? -1
                    : Integer.parseInt(file.procPath().getFileName().toString());
            return Native.check(Native.call(Native.Call.MMAP, 0, PageGeometry.bytesOf(pages),
                    PROT_READ_WRITE, flags, fd, 0), "mmap", "a guest");
        }

        // The address is this guest's own mapping.
        @SuppressWarnings("restricted")
        MemorySegment page(long page) {
            int region = regions.regions().regionOf(page);
            return MemorySegment.ofAddress(addresses[region]
                    + regions.regions().offsetInRegion(region, page))
                    .reinterpret(PageGeometry.PAGE_SIZE);
        }

        void write(long page, byte[] bytes) {
            MemorySegment.copy(bytes, 0, page(page), ValueLayout.JAVA_BYTE, 0, bytes.length);
        }

        /** Reading a hole through the guest's mapping would make it none. */
        byte[] seen(long page) {
            return regions.nextData(page) != page ? new byte[PageGeometry.PAGE_SIZE]
                    : page(page).toArray(ValueLayout.JAVA_BYTE);
        }

        @Override
        public void close() {
            regions.close();
            long[] pages = {LOW, MIDDLE, HIGH};
            for (int i = 0; i < pages.length; i++) {
                Native.call(Native.Call.MUNMAP, addresses[i], PageGeometry.bytesOf(pages[i]));
            }
            copied.close();
            shared.close();
        }
    }

    @Nested
    class Source extends PageSourceContract {
        private final Guest guest = new Guest();

        @Override
        protected PageSource memory() {
            return guest.regions;
        }

        @Override
        protected void write(long page, byte[] bytes) {
            guest.write(page, bytes);
        }

        @AfterEach
        void free() {
            guest.close();
        }
    }

    @Nested
    class Store extends PageStoreContract {
        private final Guest guest = new Guest();

        @Override
        protected PageStore memory() {
            return guest.regions;
        }

        @Override
        protected byte[] seenByGuest(long page) {
            return guest.seen(page);
        }

        @AfterEach
        void free() {
            guest.close();
        }
    }

    /** Where the guest wrote nothing it sees the file, which is no hole there. */
    @Test
    void whatOnlyTheFileHoldsIsRead() throws IOException {
        try (Guest guest = new Guest(); Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(PageGeometry.PAGE_SIZE);
            page.fill((byte) 7);
            guest.copied.write(PageGeometry.bytesOf(3), page, 0, PageGeometry.PAGE_SIZE);
            assertEquals(LOW + 3, guest.regions.nextData(0));
            assertEquals(LOW + 4, guest.regions.nextHole(LOW + 3));
            MemorySegment read = arena.allocate(PageGeometry.PAGE_SIZE);
            assertEquals(1, guest.regions.read(LOW + 3, 1, read, 0));
            assertArrayEquals(page.toArray(ValueLayout.JAVA_BYTE),
                    read.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void populatedMemoryHasNoHoleAndIsZero() throws IOException {
        try (Guest guest = new Guest()) {
            guest.write(LOW + MIDDLE + 1, new byte[] {1});
            guest.regions.populate();
            assertEquals(PAGES, guest.regions.nextHole(0));
            assertEquals(PageGeometry.bytesOf(PAGES), guest.regions.dataBytes());
            assertEquals(1, guest.seen(LOW + MIDDLE + 1)[0]);
            assertArrayEquals(new byte[PageGeometry.PAGE_SIZE], guest.seen(5));
        }
    }

    /** Lanes look for holes at the same time, and the kernel answers into one buffer. */
    @Test
    void threadsThatLookForHolesDoNotDisturbEachOther() throws Exception {
        try (Guest guest = new Guest();
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            for (long page = 1; page < LOW; page += 2) {
                guest.write(page, new byte[] {1});
            }
            List<Future<?>> looks = LongStream.of(0, LOW / 2).<Future<?>>mapToObj(first ->
                    threads.submit(() -> {
                        for (int i = 0; i < LOOKS; i++) {
                            long page = first + i % (LOW / 4) * 2;
                            assertEquals(page + 1, guest.regions.nextData(page));
                            assertEquals(page + 2, guest.regions.nextHole(page + 1));
                        }
                        return null;
                    })).toList();
            for (Future<?> look : looks) {
                look.get();
            }
        }
    }

    /** Not one byte of another process is read or written where its memory is gone. */
    @Test
    void memoryThatIsNotMappedIsAFailure() throws IOException {
        try (ProcessMemory memory = ProcessMemory.open(ProcessHandle.current().pid(), true);
                Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(PageGeometry.PAGE_SIZE);
            assertThrows(LinuxException.class, () -> memory.read(4096, page, 0, 4096));
            assertThrows(LinuxException.class, () -> memory.write(4096, page, 0, 4096));
        }
    }
}
