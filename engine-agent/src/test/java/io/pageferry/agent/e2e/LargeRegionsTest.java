package io.pageferry.agent.e2e;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.dirty.MarkingTracker;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.SourceMigration;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Several regions in one move, two of them larger than 4 GiB and nearly all hole, written where
 * an index or an offset of 31 or 32 bits would go wrong: it would land on another page.
 */
@Sampled
class LargeRegionsTest {
    private static final int PAGE = PageGeometry.PAGE_SIZE;
    private static final long GIB = 1L << 30;
    private static final long SEED = Long.getLong("pageferry.test.seed", 4);

    private static final RegionTable REGIONS = new RegionTable(List.of(
            new Region(0, "low", 0, 3L * PAGE, PAGE),
            new Region(1, "big", GIB, 6 * GIB + 5L * PAGE, PAGE),
            new Region(2, "coarse", 16 * GIB, 4 * GIB + 64L * PAGE, 64 * PAGE),
            new Region(3, "last", 1L << 40, 9 * GIB, PAGE)));

    private final SplittableRandom random = new SplittableRandom(SEED);
    private final List<Long> places = places();
    private final TreeSet<Long> written = new TreeSet<>();

    @Test
    void everyPageArrivesAtItsPlaceAndNothingElseDoes() throws IOException {
        try (MappedRegions source = memory(); MappedRegions target = memory();
                MarkingTracker tracker = new MarkingTracker(REGIONS.pageCount())) {
            for (long page : places) {
                write(source, page);
            }
            Runnable oneWrite = () -> {
                long page = places.get(random.nextInt(places.size()));
                write(source, page);
                tracker.mark(page);
            };
            LibraryMove move = new LibraryMove(source, target, tracker).guest(oneWrite, oneWrite);
            SourceMigration end = move.run();
            assertEquals(Result.COMPLETED, end.outcome().orElseThrow().result(),
                    () -> end.outcome() + ", seed " + SEED);
            assertFalse(move.isRunning());
            assertTrue(move.listener().rounds().size() > 1);
            assertEquals(end.figures().sourceDigest(), end.figures().targetDigest());
            assertSame(source, target);
        }
    }

    /** The pages around every power of two from 1 GiB on, and around each region's ends. */
    private static List<Long> places() {
        TreeSet<Long> places = new TreeSet<>();
        for (Region region : REGIONS.regions()) {
            TreeSet<Long> edges = new TreeSet<>(List.of(0L, region.size()));
            for (long edge = GIB; edge < region.size(); edge += GIB) {
                edges.add(edge);
            }
            for (long edge : edges) {
                for (long at = edge - 3L * PAGE; at < edge + 3L * PAGE; at += PAGE) {
                    if (at >= 0 && at < region.size()) {
                        places.add(REGIONS.firstPage(region.id()) + at / PAGE);
                    }
                }
            }
        }
        return new ArrayList<>(places);
    }

    private static MappedRegions memory() throws LinuxException {
        List<RegionFiles.Part> parts = new ArrayList<>();
        for (Region region : REGIONS.regions()) {
            parts.add(new RegionFiles.Part(
                    SharedMemory.create("test-" + region.name(), region.size()), 0));
        }
        return new MappedRegions(REGIONS, parts);
    }

    /** Some of the pages are noise, some can be compressed; each says where it belongs. */
    private void write(MappedRegions memory, long page) {
        int region = REGIONS.regionOf(page);
        MemorySegment window = memory.window(region);
        long at = REGIONS.offsetInRegion(region, page);
        int noise = random.nextInt(PAGE / 8) + 1;
        for (int i = 0; i < noise; i++) {
            window.set(JAVA_LONG, at + i * 8L, random.nextLong());
        }
        window.set(JAVA_LONG, at, page + 1);
        written.add(page);
    }

    private void assertSame(MappedRegions source, MappedRegions target) {
        assertEquals(places.size(), written.size());
        for (long page : written) {
            assertArrayEquals(bytes(source, page), bytes(target, page),
                    () -> "page " + page + ", seed " + SEED);
        }
        assertEquals((long) written.size() * PAGE, source.dataBytes());
        assertEquals(source.dataBytes(), target.dataBytes(), "data where none was sent");
    }

    private static byte[] bytes(MappedRegions memory, long page) {
        int region = REGIONS.regionOf(page);
        return memory.window(region).asSlice(REGIONS.offsetInRegion(region, page), PAGE)
                .toArray(ValueLayout.JAVA_BYTE);
    }
}
