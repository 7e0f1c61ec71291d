package io.pageferry.agent.host.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two regions in one file, written by this memory, by a mapping elsewhere, and punched. */
class RegionFilesTest {
    private static final int PAGE = 4096;
    private static final long FIRST = 300;
    private static final long SECOND = 500;
    /** Between the two, and of none of them. */
    private static final long GAP = 100;
    private static final long SEED = Long.getLong("pageferry.test.seed", System.nanoTime());

    @ParameterizedTest
    @EnumSource(names = {"MAPPED", "FILE"})
    void findsTheHolesThatTheFileHas(MemoryAccess access) throws IOException {
        System.out.println("-Dpageferry.test.seed=" + SEED);
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 20; round++) {
            try (Shared shared = new Shared(access)) {
                for (int step = 0; step < 12; step++) {
                    shared.change(random);
                    shared.compare(random);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"MAPPED", "FILE"})
    void aPunchedPageOfAResidentGuestIsFound(MemoryAccess access) throws IOException {
        try (Shared shared = new Shared(access)) {
            shared.write(0, FIRST + SECOND);
            // What a call gave storage, calls count as a hole until it is written.
            shared.regions.populate();
            assertEquals(FIRST + SECOND, shared.regions.nextHole(0));
            shared.punch(FIRST + 77, 1);
            assertEquals(FIRST + 77, shared.regions.nextHole(0));
            assertEquals(FIRST + SECOND, shared.regions.nextHole(FIRST + 78));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"MAPPED", "FILE"})
    void clearingLeavesHolesAloneAndMakesTheRestZero(MemoryAccess access) throws IOException {
        try (Shared shared = new Shared(access)) {
            shared.write(10, 3);
            shared.write(FIRST + 5, 1);
            shared.regions.clear(8, FIRST);
            assertEquals(4L * PAGE, shared.regions.dataBytes());
            for (long page : new long[] {10, 11, 12, FIRST + 5}) {
                assertEquals(0, shared.firstByte(page));
            }
            shared.write(10, 3);
            shared.regions.clear(11, 1);
            assertEquals(1, shared.firstByte(10));
            assertEquals(0, shared.firstByte(11));
            assertEquals(1, shared.firstByte(12));
        }
    }

    private static final class Shared implements AutoCloseable {
        private final SharedMemory file;
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment elsewhere;
        private final RegionFiles regions;
        private final MemorySegment page = arena.allocate(PAGE);

        Shared(MemoryAccess access) throws IOException {
            file = SharedMemory.create("test", (FIRST + GAP + SECOND) * PAGE);
            elsewhere = file.map(0, file.size(), arena);
            Path again = file.procPath();
            RegionTable table = new RegionTable(List.of(
                    new Region(0, "a", 0, FIRST * PAGE, PAGE),
                    new Region(1, "b", FIRST * PAGE, SECOND * PAGE, PAGE)));
            List<RegionFiles.Part> parts = List.of(
                    new RegionFiles.Part(SharedMemory.openReadWrite(again), 0),
                    new RegionFiles.Part(SharedMemory.openReadWrite(again),
                            (FIRST + GAP) * PAGE));
            regions = access == MemoryAccess.MAPPED ? new MappedRegions(table, parts)
                    : new FileRegions(table, parts);
            assertEquals(access, regions.access());
        }

        void change(SplittableRandom random) throws LinuxException {
            long page = random.nextLong(FIRST + SECOND);
            long end = page < FIRST ? FIRST : FIRST + SECOND;
            long count = Math.min(end - page, 1 + random.nextLong(60));
            switch (random.nextInt(4)) {
                case 0 -> punch(page, count);
                case 1 -> write(page, count);
                case 2 -> writeElsewhere(page, count);
                default -> touchData(page, count);
            }
        }

        /** Gives the data here entries of this mapping's page table, without making more data. */
        private void touchData(long page, long count) throws LinuxException {
            for (long at = page; at < page + count; at++) {
                if (file.nextData(offset(at)) == offset(at)) {
                    firstByte(at);
                }
            }
        }

        void write(long first, long count) {
            page.fill((byte) 1);
            for (long at = first; at < first + count; at++) {
                regions.put(at, 1, page, 0);
            }
        }

        private void writeElsewhere(long page, long count) {
            for (long at = page; at < page + count; at++) {
                elsewhere.set(JAVA_BYTE, offset(at), (byte) 1);
            }
        }

        void punch(long page, long count) throws LinuxException {
            file.punchHole(offset(page), count * PAGE);
        }

        byte firstByte(long at) {
            assertEquals(1, regions.read(at, 1, page, 0));
            return page.get(JAVA_BYTE, 0);
        }

        private static long offset(long page) {
            return (page < FIRST ? page : page + GAP) * PAGE;
        }

        void compare(SplittableRandom random) throws LinuxException {
            long from = random.nextLong(FIRST + SECOND);
            assertEquals(expected(0, false), regions.nextHole(0));
            assertEquals(expected(from, false), regions.nextHole(from));
            assertEquals(expected(from, true), regions.nextData(from));
        }

        private long expected(long from, boolean data) throws LinuxException {
            long page = from;
            while (page < FIRST + SECOND && isData(page) != data) {
                page++;
            }
            return page;
        }

        private boolean isData(long page) throws LinuxException {
            return file.nextData(offset(page)) == offset(page);
        }

        @Override
        public void close() {
            regions.close();
            file.close();
            arena.close();
        }
    }
}
