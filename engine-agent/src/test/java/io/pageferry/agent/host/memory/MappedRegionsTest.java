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
import org.junit.jupiter.api.Test;

/** Two regions in one file, written by this mapping, by another one, and punched. */
class MappedRegionsTest {
    private static final int PAGE = 4096;
    private static final long FIRST = 300;
    private static final long SECOND = 500;
    /** Between the two, and of none of them. */
    private static final long GAP = 100;
    private static final long SEED = Long.getLong("pageferry.test.seed", System.nanoTime());

    @Test
    void findsTheHolesThatTheFileHas() throws IOException {
        System.out.println("-Dpageferry.test.seed=" + SEED);
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 20; round++) {
            try (Shared shared = new Shared()) {
                for (int step = 0; step < 12; step++) {
                    shared.change(random);
                    shared.compare(random);
                }
            }
        }
    }

    @Test
    void aPunchedPageOfAResidentGuestIsFound() throws IOException {
        try (Shared shared = new Shared()) {
            shared.regions.populate();
            assertEquals(FIRST + SECOND, shared.regions.nextHole(0));
            shared.punch(FIRST + 77, 1);
            assertEquals(FIRST + 77, shared.regions.nextHole(0));
            assertEquals(FIRST + SECOND, shared.regions.nextHole(FIRST + 78));
        }
    }

    @Test
    void clearingLeavesHolesAloneAndMakesTheRestZero() throws IOException {
        try (Shared shared = new Shared()) {
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
        private final MappedRegions regions;

        Shared() throws IOException {
            file = SharedMemory.create("test", (FIRST + GAP + SECOND) * PAGE);
            elsewhere = file.map(0, file.size(), arena);
            Path again = file.procPath();
            regions = new MappedRegions(new RegionTable(List.of(
                    new Region(0, "a", 0, FIRST * PAGE, PAGE),
                    new Region(1, "b", FIRST * PAGE, SECOND * PAGE, PAGE))),
                    List.of(new MappedRegions.Part(SharedMemory.openReadWrite(again), 0),
                            new MappedRegions.Part(SharedMemory.openReadWrite(again),
                                    (FIRST + GAP) * PAGE)));
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

        void write(long page, long count) {
            for (long at = page; at < page + count; at++) {
                window(at).set(JAVA_BYTE, 0, (byte) 1);
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

        byte firstByte(long page) {
            return window(page).get(JAVA_BYTE, 0);
        }

        private MemorySegment window(long page) {
            return page < FIRST ? regions.window(0).asSlice(page * PAGE, PAGE)
                    : regions.window(1).asSlice((page - FIRST) * PAGE, PAGE);
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
