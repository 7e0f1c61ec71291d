package io.pageferry.core.testing.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.memory.PageStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/**
 * What every {@link PageStore} must do. Extend it, say how one is reached and how its guest will
 * see a page, and run it with JUnit. Each test gets memory of its own.
 */
public abstract class PageStoreContract extends MemoryContract {
    @Override
    protected abstract PageStore memory();

    /**
     * Reads a page as its guest will, on another way than {@link PageStore#read}.
     *
     * @param page global index
     * @return its 4096 bytes; zeros for a hole
     */
    protected abstract byte[] seenByGuest(long page);

    @Override
    void write(long page, byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(3L * PAGE);
            MemorySegment.copy(MemorySegment.ofArray(bytes), 0, from, PAGE, PAGE);
            memory().put(page, 1, from, PAGE);
            // The bytes are the caller's again.
            from.fill((byte) 0x77);
        }
    }

    private void flush() {
        long start = System.nanoTime();
        while (!memory().flush()) {
            assertTrue(System.nanoTime() - start < patience().toNanos(), "was never flushed");
            Thread.onSpinWait();
        }
    }

    @Test
    void whatWasPutIsWhereTheGuestFindsIt() {
        long last = memory().regions().pageCount() - 1;
        byte[] first = noise();
        byte[] end = noise();
        write(0, first);
        write(last, end);
        flush();
        assertArrayEquals(first, seenByGuest(0));
        assertArrayEquals(end, seenByGuest(last));
        assertArrayEquals(new byte[PAGE], seenByGuest(1), "the page beside it");
    }

    @Test
    void putsRuns() {
        byte[] one = noise();
        byte[] two = noise();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocate(2L * PAGE);
            from.copyFrom(MemorySegment.ofArray(one));
            from.asSlice(PAGE).copyFrom(MemorySegment.ofArray(two));
            memory().put(2, 2, from, 0);
        }
        assertArrayEquals(one, read(2));
        assertArrayEquals(two, read(3));
    }

    @Test
    void clearsWhatItIsToldToAndNothingElse() {
        byte[] left = noise();
        byte[] right = noise();
        write(3, left);
        write(4, noise());
        write(5, noise());
        write(6, right);
        memory().clear(4, 2);
        flush();
        assertArrayEquals(left, seenByGuest(3));
        assertArrayEquals(new byte[PAGE], seenByGuest(4));
        assertArrayEquals(new byte[PAGE], seenByGuest(5));
        assertArrayEquals(right, seenByGuest(6));
        for (long page = memory().nextData(4); page < 6; page = memory().nextData(page + 1)) {
            assertArrayEquals(new byte[PAGE], read(page), "page " + page + " was cleared");
        }
    }

    /** A store that kept what it was given would prove itself and not the image. */
    @Test
    void readsBackWhatTheGuestWillSee() {
        for (long page = 0; page < 8; page++) {
            byte[] bytes = noise();
            write(page, noise());
            write(page, bytes);
            flush();
            assertArrayEquals(bytes, seenByGuest(page));
            assertArrayEquals(seenByGuest(page), read(page), "page " + page);
        }
    }
}
