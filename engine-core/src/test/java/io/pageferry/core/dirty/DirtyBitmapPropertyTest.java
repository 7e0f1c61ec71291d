package io.pageferry.core.dirty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicIntegerArray;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** The bitmap beside a {@link BitSet}, and under marks from several threads. */
class DirtyBitmapPropertyTest {
    private static final int WRITERS = 3;

    @Property(tries = 500)
    void doesWhatABitSetDoes(@ForAll @IntRange(min = 1, max = 400) int pages,
            @ForAll long seed) {
        Random random = new Random(seed);
        BitSet model = new BitSet(pages);
        BitSet otherModel = new BitSet(pages);
        try (DirtyBitmap bitmap = new DirtyBitmap(pages);
                DirtyBitmap other = new DirtyBitmap(pages)) {
            for (int i = 0; i < 60; i++) {
                step(random, bitmap, model);
                if (random.nextInt(10) == 0) {
                    bitmap.harvestInto(other);
                    otherModel.or(model);
                    model.clear();
                }
                assertSame(model, bitmap);
            }
            assertSame(otherModel, other);
        }
    }

    @Property(tries = 200)
    void nothingBeyondTheLastPageIsEverFound(@ForAll @IntRange(min = 1, max = 400) int pages) {
        try (DirtyBitmap bitmap = new DirtyBitmap(pages)) {
            bitmap.markAll();
            assertEquals(pages, bitmap.count());
            assertEquals(pages, bitmap.nextUnmarked(0));
            assertEquals(pages, bitmap.nextMarked(pages));
            for (long beyond : new long[] {-1, pages, pages + 63L, Long.MAX_VALUE}) {
                assertThrows(IndexOutOfBoundsException.class, () -> bitmap.mark(beyond));
                assertThrows(IndexOutOfBoundsException.class, () -> bitmap.clear(beyond));
                assertThrows(IndexOutOfBoundsException.class, () -> bitmap.isMarked(beyond));
                assertThrows(IndexOutOfBoundsException.class,
                        () -> bitmap.markRange(beyond, 1));
            }
            assertThrows(IndexOutOfBoundsException.class,
                    () -> bitmap.markRange(1, Long.MAX_VALUE));
            assertThrows(IndexOutOfBoundsException.class, () -> bitmap.markRange(0, -1));
            bitmap.clearAll();
            assertTrue(bitmap.isEmpty());
        }
    }

    @Example
    void bitmapsOfDifferentSizeDoNotMix() {
        try (DirtyBitmap small = new DirtyBitmap(64); DirtyBitmap large = new DirtyBitmap(65)) {
            assertThrows(IllegalArgumentException.class, () -> small.harvestInto(large));
        }
        assertThrows(IllegalArgumentException.class, () -> new DirtyBitmap(0));
    }

    @Example
    void closedIsClosed() {
        DirtyBitmap bitmap = new DirtyBitmap(10);
        bitmap.close();
        bitmap.close();
        assertThrows(IllegalStateException.class, () -> bitmap.mark(0));
        assertThrows(IllegalStateException.class, bitmap::count);
    }

    /**
     * Writers raise a version and then mark; the harvester takes the marks and then reads. What it
     * read last of each page must be the page's last version, or a mark was lost.
     */
    @Property(tries = 20)
    void aMarkDuringAHarvestIsNotLost(@ForAll long seed) throws Exception {
        int pages = 200;
        AtomicIntegerArray versions =
                new AtomicIntegerArray(pages);
        int[] seen = new int[pages];
        CountDownLatch writing = new CountDownLatch(WRITERS);
        try (DirtyBitmap marks = new DirtyBitmap(pages); DirtyBitmap dirty = new DirtyBitmap(pages);
                ExecutorService pool = Executors.newFixedThreadPool(WRITERS)) {
            List<Future<?>> writers = new ArrayList<>();
            for (int i = 0; i < WRITERS; i++) {
                Random random = new Random(seed + i);
                writers.add(pool.submit(() -> {
                    try {
                        for (int write = 0; write < 20_000; write++) {
                            int page = random.nextInt(pages);
                            versions.incrementAndGet(page);
                            marks.mark(page);
                        }
                    } finally {
                        writing.countDown();
                    }
                }));
            }
            do {
                look(marks, dirty, versions, seen);
            } while (writing.getCount() > 0);
            for (Future<?> writer : writers) {
                writer.get();
            }
            look(marks, dirty, versions, seen);
        }
        for (int page = 0; page < pages; page++) {
            assertEquals(versions.get(page), seen[page], "page " + page);
        }
    }

    /** More words than a harvest looks at in one go, few and many of them marked. */
    @Property(tries = 60)
    void aHarvestMovesEveryMarkAndKeepsThoseThatWereThere(@ForAll long seed,
            @ForAll @IntRange(min = 1, max = 140_000) int pages,
            @ForAll @IntRange(min = 0, max = 6) int density) {
        Random random = new Random(seed);
        BitSet model = new BitSet(pages);
        try (DirtyBitmap marks = new DirtyBitmap(pages);
                DirtyBitmap dirty = new DirtyBitmap(pages)) {
            for (int i = pages >> 2 * density; i >= 0; i--) {
                int page = random.nextInt(pages);
                marks.mark(page);
                model.set(page);
                int there = random.nextInt(pages);
                dirty.mark(there);
                model.set(there);
            }
            marks.harvestInto(dirty);
            assertTrue(marks.isEmpty());
            assertEquals(model.cardinality(), dirty.count());
            dirty.forEachRun((first, count) -> assertEquals(first + count,
                    model.nextClearBit((int) first), "a run of pages that were not marked"));
        }
    }

    /** The odd pages are harvested while the even ones of the same words are marked there. */
    @Property(tries = 20)
    void aMarkThatIsSetThereDuringAHarvestIsNotLost(@ForAll long seed) throws Exception {
        int pages = 64 * 1500;
        try (DirtyBitmap marks = new DirtyBitmap(pages); DirtyBitmap dirty = new DirtyBitmap(pages);
                ExecutorService pool = Executors.newSingleThreadExecutor()) {
            CountDownLatch begun = new CountDownLatch(1);
            Random random = new Random(seed);
            for (int page = 1; page < pages; page += 2) {
                marks.mark(page);
            }
            Future<?> other = pool.submit(() -> {
                int start = random.nextInt(pages / 2);
                for (int i = 0; i < pages / 2; i++) {
                    dirty.mark((start + i) % (pages / 2) * 2L);
                    begun.countDown();
                }
            });
            begun.await();
            marks.harvestInto(dirty);
            other.get();
            assertEquals(pages, dirty.count());
        }
    }

    private static void look(DirtyBitmap marks, DirtyBitmap dirty,
            AtomicIntegerArray versions, int[] seen) {
        marks.harvestInto(dirty);
        dirty.forEachRun((first, count) -> {
            for (long page = first; page < first + count; page++) {
                dirty.clear(page);
                seen[(int) page] = versions.get((int) page);
            }
        });
    }

    private static void step(Random random, DirtyBitmap bitmap, BitSet model) {
        int pages = (int) bitmap.pages();
        int page = random.nextInt(pages);
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> {
                assertEquals(!model.get(page), bitmap.mark(page));
                model.set(page);
            }
            case 3, 4 -> {
                assertEquals(model.get(page), bitmap.clear(page));
                model.clear(page);
            }
            case 5, 6 -> {
                int count = random.nextInt(pages - page + 1);
                bitmap.markRange(page, count);
                model.set(page, page + count);
            }
            default -> {
                if (random.nextInt(4) == 0) {
                    bitmap.clearAll();
                    model.clear();
                }
            }
        }
    }

    private static void assertSame(BitSet model, DirtyBitmap bitmap) {
        int pages = (int) bitmap.pages();
        assertEquals(model.cardinality(), bitmap.count());
        assertEquals(model.isEmpty(), bitmap.isEmpty());
        BitSet byRuns = new BitSet(pages);
        int[] lastEnd = {-1};
        bitmap.forEachRun((first, count) -> {
            assertTrue(first > lastEnd[0], "runs touch: they could have been longer");
            lastEnd[0] = (int) (first + count);
            byRuns.set((int) first, lastEnd[0]);
        });
        assertEquals(model, byRuns);
        for (int page = 0; page < pages; page++) {
            assertEquals(model.get(page), bitmap.isMarked(page));
            int next = model.nextSetBit(page);
            assertEquals(next < 0 ? pages : next, bitmap.nextMarked(page));
            assertEquals(Math.min(pages, model.nextClearBit(page)), bitmap.nextUnmarked(page));
        }
    }
}
