package io.pageferry.core.memory.scan;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What was sent of each page, as a 64-bit hash. A page without one is zero at the target: sent so,
 * or never sent.
 *
 * <p>8 B a page off-heap, in chunks of 512 KiB for 256 MiB of guest, each taken when a page in it
 * is first sent with content. Several threads may note different pages at the
 * same time; all else is confined to one thread. Owns its memory until closed.
 */
public final class SentHashes implements AutoCloseable {
    private static final int CHUNK_SHIFT = 16;
    private static final int CHUNK_PAGES = 1 << CHUNK_SHIFT;

    private final AtomicReferenceArray<MemorySegment> chunks;
    private Arena arena;

    /**
     * Makes an empty table, which takes no memory yet.
     *
     * @param pages of the guest
     */
    public SentHashes(long pages) {
        this.chunks = new AtomicReferenceArray<>(Math.toIntExact((pages >>> CHUNK_SHIFT) + 1));
    }

    /**
     * Notes a page by the very bytes that are sent.
     *
     * @param page  global index
     * @param bytes holds them
     * @param at    where
     */
    public void set(long page, MemorySegment bytes, long at) {
        int index = (int) (page >>> CHUNK_SHIFT);
        MemorySegment chunk = chunks.getAcquire(index);
        (chunk == null ? makeChunk(index) : chunk)
                .setAtIndex(JAVA_LONG, page & CHUNK_PAGES - 1, PageHash.of(bytes, at));
    }

    private synchronized MemorySegment makeChunk(int index) {
        if (arena == null) {
            arena = Arena.ofShared();
        }
        if (chunks.getAcquire(index) == null) {
            chunks.setRelease(index,
                    arena.allocate((long) CHUNK_PAGES * Long.BYTES, Long.BYTES));
        }
        return chunks.getAcquire(index);
    }

    /**
     * Notes a page that is sent as zeros.
     *
     * @param page global index
     */
    public void setZero(long page) {
        MemorySegment chunk = chunks.getAcquire((int) (page >>> CHUNK_SHIFT));
        if (chunk != null) {
            chunk.setAtIndex(JAVA_LONG, page & CHUNK_PAGES - 1, PageHash.NONE);
        }
    }

    /**
     * Returns whether a page was last sent with content.
     *
     * @param page global index
     * @return false also when it was never sent
     */
    public boolean isFilled(long page) {
        return get(page) != PageHash.NONE;
    }

    /**
     * Returns whether a page, which is no hole, holds something else than what was sent.
     *
     * @param page   global index
     * @param window holds it
     * @param at     where
     * @return true when it has to be sent
     */
    public boolean differs(long page, MemorySegment window, long at) {
        long sent = get(page);
        if (sent != PageHash.NONE) {
            return PageHash.of(window, at) != sent;
        }
        return !PageView.isZero(window, at);
    }

    private long get(long page) {
        MemorySegment chunk = chunks.getAcquire((int) (page >>> CHUNK_SHIFT));
        return chunk == null ? PageHash.NONE
                : chunk.getAtIndex(JAVA_LONG, page & CHUNK_PAGES - 1);
    }

    /** Forgets everything and frees the memory. May be used again. Idempotent. */
    @Override
    public void close() {
        for (int i = 0; i < chunks.length(); i++) {
            chunks.set(i, null);
        }
        if (arena != null) {
            arena.close();
            arena = null;
        }
    }
}
