package io.pageferry.core.testing.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What the reading side of every memory must do. Extend {@link PageSourceContract} or
 * {@link PageStoreContract}.
 */
@Timeout(60)
public abstract class MemoryContract {
    static final int PAGE = PageGeometry.PAGE_SIZE;

    private static final long SEED = 20_261_129;
    private static final int MOST = 64;
    private static final byte UNTOUCHED = 0x5a;

    final Random random = new Random(SEED);
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate((MOST + 2L) * PAGE, 8);

    /**
     * Gives the memory, of which every page may be written, and at least two regions or 64 pages.
     *
     * @return the same for the whole test
     */
    protected abstract PagedMemory memory();

    /**
     * Says how long memory may go on answering "not yet".
     *
     * @return ten seconds
     */
    protected Duration patience() {
        return Duration.ofSeconds(10);
    }

    /** Has a page hold bytes, which has storage from then on. */
    abstract void write(long page, byte[] bytes);

    @AfterEach
    void freeBuffer() {
        arena.close();
    }

    /** Draws a page of noise. */
    final byte[] noise() {
        byte[] bytes = new byte[PAGE];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Reads one page, however often it has to be asked for. */
    final byte[] read(long page) {
        return run(page, 1);
    }

    private byte[] run(long page, int count) {
        long start = System.nanoTime();
        buffer.fill(UNTOUCHED);
        int got = memory().read(page, count, buffer, PAGE);
        while (got == PagedMemory.NOT_YET) {
            assertTrue(System.nanoTime() - start < patience().toNanos(),
                    "page " + page + " was asked for and never came");
            Thread.onSpinWait();
            got = memory().read(page, count, buffer, PAGE);
        }
        assertTrue(got >= 1 && got <= count, got + " pages of " + count);
        assertUntouched(0, PAGE);
        assertUntouched((1L + got) * PAGE, (1L + MOST - got) * PAGE);
        return buffer.asSlice(PAGE, (long) got * PAGE).toArray(ValueLayout.JAVA_BYTE);
    }

    private void assertUntouched(long from, long length) {
        for (long at = from; at < from + length; at += 509) {
            assertEquals(UNTOUCHED, buffer.get(ValueLayout.JAVA_BYTE, at),
                    "byte " + at + " of the buffer is not the run's");
        }
    }

    @Test
    void keepsItsLayout() {
        assertSame(memory().regions(), memory().regions());
    }

    @Test
    void readsWhatStandsInEachPageAndNothingBesides() {
        RegionTable regions = memory().regions();
        for (Region region : regions.regions()) {
            long first = regions.firstPage(region.id());
            long last = regions.endPage(region.id()) - 1;
            for (long page : new long[] {first, last, (first + last) / 2}) {
                byte[] bytes = noise();
                write(page, bytes);
                assertArrayEquals(bytes, read(page), "page " + page);
            }
        }
    }

    @Test
    void readsRuns() {
        int pages = (int) Math.min(MOST, memory().regions().region(0).pages());
        byte[] all = new byte[pages * PAGE];
        random.nextBytes(all);
        for (int i = 0; i < pages; i++) {
            write(i, Arrays.copyOfRange(all, i * PAGE, (i + 1) * PAGE));
        }
        for (int done = 0; done < pages;) {
            byte[] got = run(done, pages - done);
            assertArrayEquals(Arrays.copyOfRange(all, done * PAGE, done * PAGE + got.length),
                    got, "from page " + done);
            done += got.length / PAGE;
        }
    }

    /** Clear, then read: an answer that is older than the question loses a write. */
    @Test
    void givesNothingThatWasReadBeforeItWasAskedFor() {
        byte[] older = noise();
        byte[] newer = noise();
        write(3, older);
        assertArrayEquals(older, read(3));
        write(3, newer);
        assertArrayEquals(newer, read(3), "read again after a write");
    }

    @Test
    void forgetsWhatWasAskedForAndNotTaken() {
        for (int i = 0; i < 20; i++) {
            byte[] newer = noise();
            write(3, noise());
            memory().read(3, 1, buffer, PAGE);
            write(3, newer);
            memory().forgetReads();
            assertArrayEquals(newer, read(3), "asked for, written, forgotten, read");
        }
    }

    @Test
    void aHoleThatMayBeReadIsZeroAndStaysAHole() {
        write(1, noise());
        long hole = memory().nextHole(1);
        if (memory().readsHoles() && hole < memory().regions().endPage(0)) {
            assertArrayEquals(new byte[PAGE], read(hole), "page " + hole);
            assertEquals(hole, memory().nextHole(hole), "page " + hole + " got storage");
        }
    }

    @Test
    void holesAndDataTakeTurns() {
        write(1, noise());
        write(memory().regions().pageCount() - 1, noise());
        long pages = memory().regions().pageCount();
        assertEquals(1, memory().nextData(1));
        assertEquals(pages - 1, memory().nextData(pages - 1));
        for (long page = 0; page < pages;) {
            long data = memory().nextData(page);
            assertTrue(data >= page && data <= pages, "nextData(" + page + ") is " + data);
            long hole = memory().nextHole(data);
            assertTrue(hole > data || data == pages, "page " + data + " is data and a hole");
            assertTrue(hole <= pages, "nextHole(" + data + ") is " + hole);
            page = hole;
        }
        assertEquals(pages, memory().nextData(pages));
        assertEquals(pages, memory().nextHole(pages));
    }
}
