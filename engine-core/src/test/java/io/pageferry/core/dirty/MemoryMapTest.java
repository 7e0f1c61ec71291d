package io.pageferry.core.dirty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.dirty.MemoryMap.Cell;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.testing.Harness;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What a map of memory shows of the bitmaps, and when one is made. */
class MemoryMapTest {
    private static final int SEEDS = 50;
    private static final long SEED = Long.getLong("pageferry.test.seed", 571);

    @Test
    void cellsCoverEachPageOnceAndAreNeverMoreThanThereMayBe() {
        for (long pages : new long[] {1, 63, 64, 65, 262_144, 262_145, 1L << 34}) {
            List<long[]> asked = new ArrayList<>();
            MemoryMap map = MemoryMap.of(pages, (first, count) -> {
                asked.add(new long[] {first, count});
                return first == 0 ? Cell.HOT : Cell.EMPTY;
            });
            assertTrue(map.cells().length() <= MemoryMap.MOST_CELLS, () -> pages + ": " + map);
            assertEquals(0, map.pagesPerCell() % 64);
            assertEquals(asked.size(), map.cells().length());
            long next = 0;
            for (long[] one : asked) {
                assertEquals(next, one[0]);
                next += one[1];
            }
            assertEquals(pages, next);
            assertEquals("3" + "0".repeat(map.cells().length() - 1), map.cells());
        }
    }

    @Test
    void rangesAreCountedAsPageByPage() {
        Random random = new Random(SEED);
        int pages = 64 * 9 + 17;
        try (DirtyBitmap one = new DirtyBitmap(pages); DirtyBitmap other = new DirtyBitmap(pages)) {
            for (int i = 0; i < 60; i++) {
                one.mark(random.nextInt(pages));
                other.mark(random.nextInt(pages));
            }
            for (int first = 0; first < pages; first += 64) {
                for (int end : new int[] {Math.min(pages, first + 64), pages}) {
                    assertEquals(LongStream.range(first, end).filter(one::isMarked).count(),
                            one.countIn(first, end - first));
                    assertEquals(LongStream.range(first, end).anyMatch(
                            page -> one.isMarked(page) && other.isMarked(page)),
                            one.meets(other, first, end - first));
                }
            }
        }
    }

    @Test
    void aMapIsMadeOnlyWhereOneIsAskedForAndEndsWithNothingDirty() {
        for (long seed = 0; seed < SEEDS; seed++) {
            List<MemoryMap> seen = new ArrayList<>();
            try (Harness harness = new Harness(seed)) {
                harness.eachStep(() -> harness.source().map().ifPresent(map -> {
                    if (seen.isEmpty() || seen.getLast() != map) {
                        seen.add(map);
                    }
                }));
                boolean completed = harness.run().source().result() == Result.COMPLETED;
                assertFalse(seen.isEmpty(), "seed " + seed);
                String last = seen.getLast().cells();
                assertTrue(!completed || last.indexOf(digit(Cell.DIRTY)) < 0
                        && last.indexOf(digit(Cell.HOT)) < 0, "seed " + seed + ": " + last);
            }
            try (Harness nobodyLooks = new Harness(seed)) {
                nobodyLooks.run();
                assertTrue(nobodyLooks.source().map().isEmpty(), "seed " + seed);
            }
        }
    }

    private static char digit(Cell cell) {
        return (char) ('0' + cell.ordinal());
    }
}
