package io.pageferry.core.precopy;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.testing.CoarseTracker;
import io.pageferry.core.testing.DirectSink;
import io.pageferry.core.testing.ManualClock;
import io.pageferry.core.testing.TestImage;
import io.pageferry.core.testing.TestMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Rounds over regions of 4 KiB, 64 KiB and 2 MiB granule in one guest. */
@Timeout(60)
class GranuleRoundsTest {
    private static final long SEED = Long.getLong("pageferry.test.seed", 64);
    private static final int HUGE = 512;
    private static final int ROUNDS = 40;

    private static final RegionTable REGIONS = new RegionTable(List.of(
            region(0, "low", 90, 1), region(1, "huge", 3 * HUGE, HUGE),
            region(2, "large", 100, 16), region(3, "end", HUGE + 7, HUGE)));

    private final TestMemory memory = new TestMemory(REGIONS);
    private final TestImage image = new TestImage(REGIONS);
    private final CoarseTracker tracker = new CoarseTracker(REGIONS);
    private final DirectSink sink = new DirectSink(image);
    private final ManualClock clock = new ManualClock(0);
    private final RoundRunner runner = new RoundRunner(memory, tracker,
            List.of(new PageEncoder(CodecChoice.ADAPTIVE, 0, clock)),
            new RateLimiter(clock, Bandwidth.UNLIMITED));
    private final Random random = new Random(SEED);

    private static Region region(int id, String name, int pages, int granulePages) {
        return new Region(id, name, 0, PageGeometry.bytesOf(pages),
                granulePages * PageGeometry.PAGE_SIZE);
    }

    @AfterEach
    void close() {
        runner.close();
        sink.close();
        tracker.close();
        image.close();
        memory.close();
    }

    @Test
    void onlyChangedPagesGoOverTheWire() throws Exception {
        fill();
        runner.start(sink);
        assertEquals(REGIONS.pageCount(), round(0));
        sink.takePages();
        TreeSet<Long> changed = new TreeSet<>();
        for (long page : new long[] {0, 89, 90, 90 + HUGE - 1, 90 + HUGE, 90 + 3 * HUGE - 1,
                90 + 3 * HUGE, 90 + 3 * HUGE + 99, REGIONS.pageCount() - 1}) {
            write(page, new byte[] {1, (byte) page});
            changed.add(page);
        }
        // Written, and the same as before: marks its whole granule, and changes nothing.
        write(90 + 2 * HUGE - 1, memory.read(90 + 2 * HUGE - 1));
        // Of content before, zero now.
        write(90 + 7, new byte[0]);
        changed.add(97L);
        assertEquals(changed.size(), runner.harvest());
        assertEquals(changed.size(), round(1));
        assertEquals(new ArrayList<>(changed), sink.takePages());
        assertEquals(0, runner.harvest());
        assertImageEqual();
    }

    /** CRC32C of this page is that of zeros: what was sent is told by a bit of its own. */
    @Test
    void aHoleWhereThePageHadTheSumOfZerosIsSent() throws Exception {
        memory.write(3, Arrays.copyOf(new byte[] {(byte) 0xf1, 0x76, (byte) 0xec, 5, 1},
                PageGeometry.PAGE_SIZE));
        runner.start(sink);
        assertEquals(1, round(0));
        assertImageEqual();
        memory.punch(3);
        assertEquals(0, runner.harvest());
        assertEquals(1, runner.harvestPaused());
        assertEquals(1, round(1));
        assertImageEqual();
        assertEquals(0, runner.harvestPaused());
    }

    /** Without the filter each of these writes would send 512 pages. */
    @Test
    void aPageInEachHugePageCostsAPageEach() throws Exception {
        fill();
        runner.start(sink);
        round(0);
        for (int i = 1; i <= 5; i++) {
            write(90, new byte[] {(byte) i});
            write(90 + HUGE + i, new byte[] {(byte) i, 1});
            write(90 + 2 * HUGE, new byte[] {(byte) i, 2});
            runner.harvest();
            assertEquals(3, round(i));
        }
        assertImageEqual();
    }

    @Test
    void whatALostBatchCarriedIsSentAgainThoughNothingChanged() throws Exception {
        fill();
        runner.start(sink);
        round(0);
        sink.takePages();
        write(90 + 3, new byte[] {9});
        write(90 + HUGE + 3, new byte[] {9});
        runner.harvest();
        runner.begin(1, false, clock.nanoTime());
        assertEquals(1, runner.step(1), "one page in an open batch, its hash known");
        assertEquals(0, runner.reclaimDebt());
        assertEquals(2, runner.harvest());
        assertEquals(2, round(2));
        assertEquals(List.of(93L, 90L + HUGE + 3), sink.takePages());
        assertImageEqual();
    }

    @Test
    void nothingIsLostUnderWritersOfTheirOwnThreads() throws Exception {
        fill();
        AtomicLong writes = new AtomicLong();
        List<Thread> writers = LongStream.range(0, 2)
                .mapToObj(i -> Thread.ofPlatform().start(() -> writeOnAndOn(i, writes))).toList();
        long again = 0;
        try {
            runner.start(sink);
            for (int round = 0; round < ROUNDS; round++) {
                long before = writes.get();
                round(round);
                while (writes.get() == before) {
                    Thread.onSpinWait();
                }
                again += runner.harvest();
            }
        } finally {
            writers.forEach(Thread::interrupt);
            for (Thread writer : writers) {
                writer.join();
            }
        }
        runner.harvest();
        round(ROUNDS);
        assertTrue(again > ROUNDS, "hardly a page was written in the rounds");
        assertImageEqual();
    }

    /** Each writer has its half of every page, so neither undoes the other's. */
    private void writeOnAndOn(long writer, AtomicLong writes) {
        SplittableRandom choice = new SplittableRandom(SEED + writer);
        for (long i = 1; !Thread.currentThread().isInterrupted(); i++) {
            long page = choice.nextLong(REGIONS.pageCount());
            int region = REGIONS.regionOf(page);
            memory.window(region).set(JAVA_LONG, REGIONS.offsetInRegion(region, page)
                    + writer * 2048 + choice.nextInt(256) * 8L, choice.nextLong());
            tracker.mark(page);
            writes.incrementAndGet();
        }
    }

    private long round(long number) {
        runner.begin(number, false, clock.nanoTime());
        while (!runner.isEncoded()) {
            runner.step(64);
        }
        return runner.finish(clock.nanoTime()).sentPages();
    }

    private void fill() {
        for (long page = 0; page < REGIONS.pageCount(); page++) {
            byte[] bytes = new byte[PageGeometry.PAGE_SIZE];
            random.nextBytes(bytes);
            memory.write(page, bytes);
        }
    }

    private void write(long page, byte[] begin) {
        memory.write(page, Arrays.copyOf(begin, PageGeometry.PAGE_SIZE));
        tracker.mark(page);
    }

    private void assertImageEqual() {
        for (long page = 0; page < REGIONS.pageCount(); page++) {
            assertArrayEquals(memory.read(page), image.read(page),
                    "page " + page + ", seed " + SEED);
        }
    }
}
