package io.pageferry.core.precopy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.PagesByCodec;
import io.pageferry.core.testing.CoarseTracker;
import io.pageferry.core.testing.DirectSink;
import io.pageferry.core.testing.ManualClock;
import io.pageferry.core.testing.TestImage;
import io.pageferry.core.testing.TestMemory;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pages that are written again and again: what changed of them is sent. */
class PagesComeAgainTest {
    private static final long SEED = 9;
    private static final int PAGES = 200;
    private static final RegionTable REGIONS =
            RegionTable.single("ram", (long) PAGES * PageGeometry.PAGE_SIZE);

    private final Random random = new Random(SEED);
    private final TestMemory memory = new TestMemory(REGIONS);
    private final TestImage image = new TestImage(REGIONS);
    private final CoarseTracker tracker = new CoarseTracker(REGIONS);
    private final DirectSink sink = new DirectSink(image);
    private final ManualClock clock = new ManualClock(0);
    private final PageEncoder encoder = new PageEncoder(CodecChoice.ADAPTIVE, 1 << 20, clock);
    private final RoundRunner runner = new RoundRunner(memory, tracker, List.of(encoder),
            new RateLimiter(clock, Bandwidth.UNLIMITED));
    private final byte[][] contents = new byte[PAGES][PageGeometry.PAGE_SIZE];

    @AfterEach
    void close() {
        runner.close();
        sink.close();
        tracker.close();
        image.close();
        memory.close();
    }

    private void start() throws Exception {
        for (int page = 0; page < PAGES; page++) {
            random.nextBytes(contents[page]);
            memory.write(page, contents[page]);
        }
        runner.start(sink);
        assertEquals(new PagesByCodec(0, PAGES, 0, 0, 0), round(0));
    }

    private void change(int page) {
        contents[page][random.nextInt(PageGeometry.PAGE_SIZE)]++;
        memory.write(page, contents[page]);
        tracker.mark(page);
    }

    private PagesByCodec round(int round) {
        runner.harvest();
        runner.begin(round, false, clock.nanoTime());
        while (!runner.isEncoded()) {
            runner.step(64);
        }
        PagesByCodec sent = runner.finish(clock.nanoTime()).sent();
        for (int page = 0; page < PAGES; page++) {
            assertArrayEquals(contents[page], image.read(page), "page " + page);
        }
        return sent;
    }

    @Test
    void theFourthTimeOnlyWhatChangedIsSent() throws Exception {
        encoder.allow(false, true);
        start();
        for (int i = 1; i < 3; i++) {
            change(7);
            change(8);
            assertEquals(new PagesByCodec(0, 2, 0, 0, 0), round(i));
        }
        for (int i = 3; i < 20; i++) {
            long before = sink.wireBytes();
            change(7);
            assertEquals(new PagesByCodec(0, 0, 0, 1, 0), round(i));
            assertTrue(sink.wireBytes() - before < 100, sink.wireBytes() - before + " bytes");
        }
        random.nextBytes(contents[7]);
        change(7);
        assertEquals(new PagesByCodec(0, 1, 0, 0, 0), round(20));
        change(7);
        assertEquals(new PagesByCodec(0, 0, 0, 1, 0), round(21));
    }

    @Test
    void aPageThatArrivedDamagedIsSentWholeEverAfter() throws Exception {
        encoder.allow(false, true);
        start();
        for (int i = 1; i < 4; i++) {
            change(7);
            change(8);
            round(i);
        }
        assertTrue(runner.sendAgain(new long[] {7}).isEmpty());
        change(8);
        assertEquals(new PagesByCodec(0, 1, 0, 1, 0), round(4));
        change(7);
        change(8);
        assertEquals(new PagesByCodec(0, 1, 0, 1, 0), round(5));
    }

    @Test
    void aTargetThatHasItNotIsSentNone() throws Exception {
        start();
        for (int i = 1; i < 5; i++) {
            change(7);
            assertEquals(new PagesByCodec(0, 1, 0, 0, 0), round(i));
        }
    }
}
