package io.pageferry.core.codec.page;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SentPageCacheTest {
    private static final long SEED = Long.getLong("pageferry.test.seed", 44);
    private static final int SLOTS = 600;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment page = arena.allocate(2 * PageCodec.PAGE, 8);
    private final SentPageCache cache = new SentPageCache(SLOTS * (long) PageCodec.PAGE + 17);

    @AfterEach
    void close() {
        cache.close();
        cache.close();
        arena.close();
    }

    private void keep(long number, int content) {
        page.asSlice(PageCodec.PAGE).fill((byte) content);
        boolean held = cache.slotOf(number) >= 0;
        cache.keep(number, page, PageCodec.PAGE, content);
        if (!held && cache.slotOf(number) < 0) {
            cache.keep(number, page, PageCodec.PAGE, content);
        }
    }

    private int held(long number) {
        int slot = cache.slotOf(number);
        if (slot < 0) {
            return -1;
        }
        byte[] bytes = cache.memory(slot).asSlice(cache.offset(slot), PageCodec.PAGE)
                .toArray(ValueLayout.JAVA_BYTE);
        byte[] kept = new byte[PageCodec.PAGE];
        Arrays.fill(kept, (byte) cache.sum(slot));
        assertArrayEquals(kept, bytes, "page " + number);
        return cache.sum(slot);
    }

    @Test
    void holdsWhatWasKeptLastUntilItIsDropped() {
        assertEquals(-1, held(1L << 39));
        keep(1L << 39, 3);
        keep(5, 4);
        keep(1L << 39, 5);
        assertEquals(5, held(1L << 39));
        assertEquals(4, held(5));
        cache.drop(5);
        cache.drop(5);
        assertEquals(-1, held(5));
        keep(6, 7);
        assertEquals(7, held(6));
        assertEquals(5, held(1L << 39));
    }

    /** What came again once may do so never more. */
    @Test
    void whatComesOnceIsNotKept() {
        page.asSlice(PageCodec.PAGE).fill((byte) 1);
        cache.keep(3, page, PageCodec.PAGE, 1);
        assertEquals(-1, held(3));
        cache.keep(4, page, PageCodec.PAGE, 1);
        cache.keep(3, page, PageCodec.PAGE, 1);
        assertEquals(1, held(3));
        assertEquals(-1, held(4));
    }

    @Test
    void whatIsDistrustedIsNeverKeptAgain() {
        keep(5, 4);
        cache.distrust(5);
        keep(5, 4);
        assertEquals(-1, held(5));
    }

    @Test
    void oneOfNoPageHoldsNone() {
        try (SentPageCache none = new SentPageCache(PageCodec.PAGE - 1)) {
            none.keep(1, page, 0, 0);
            none.drop(1);
            assertEquals(-1, none.slotOf(1));
        }
    }

    /** What comes once must not push out what comes again and again. */
    @Test
    void whatComesAgainStaysWhereOthersComeOnce() {
        int warm = SLOTS / 2;
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < warm; i++) {
                keep(i, round);
            }
            for (int i = 0; i < SLOTS; i++) {
                keep(10_000L * (round + 1) + i, round);
            }
        }
        int held = 0;
        for (int i = 0; i < warm; i++) {
            held += held(i) >= 0 ? 1 : 0;
        }
        int found = held;
        assertTrue(held > warm * 0.6, () -> found + " of " + warm);
    }

    @Test
    void agreesWithAMapWhateverIsDone() {
        Random random = new Random(SEED);
        Map<Long, Integer> last = new HashMap<>();
        int hits = 0;
        for (int i = 0; i < 50_000; i++) {
            long number = random.nextInt(3 * SLOTS);
            if (random.nextInt(10) == 0) {
                cache.drop(number);
                last.remove(number);
            } else {
                int content = random.nextInt(128);
                keep(number, content);
                last.put(number, content);
            }
            long other = random.nextInt(3 * SLOTS);
            int held = held(other);
            if (held >= 0) {
                hits++;
                assertEquals(last.get(other), held, "seed " + SEED);
            }
        }
        assertTrue(hits > 5_000, hits + " hits, seed " + SEED);
    }
}
