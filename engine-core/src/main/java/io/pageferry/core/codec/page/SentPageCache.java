package io.pageferry.core.codec.page;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import org.agrona.collections.Long2LongHashMap;
import org.agrona.collections.LongHashSet;

/**
 * What was sent last of pages that come again and again, so that the next time only what changed
 * has to be sent. A page is let in the second time that it is to be kept: what comes again once is
 * mostly what the guest wrote during the first round, and to keep it touches memory for nothing
 * (docs/adr/0044). Off-heap, taken as it is needed, up to a limit; on the heap some 45 B for each
 * page that it holds. Where it is full a page that did not come again for long gives way.
 * Confined to one thread; has memory until closed.
 */
final class SentPageCache implements AutoCloseable {
    private static final int NONE = -1;

    /** Pages of one piece of memory: 2 MiB. */
    private static final int PIECE_PAGES = 512;

    /** A page that came again so often is kept as long as any: it is among the warmest. */
    private static final byte MOST_HEAT = 3;

    /** A bit for each page of 16 GiB; of a larger guest some pages share one. */
    private static final int SEEN_BITS = 1 << 22;

    private final Arena arena = Arena.ofShared();
    private final int most;
    private final MemorySegment[] pieces;
    private final long[][] owners;
    private final int[][] sums;
    private final byte[][] heat;
    private final Long2LongHashMap slots = new Long2LongHashMap(NONE);
    private final LongHashSet distrusted = new LongHashSet();
    private final BitSet seen = new BitSet();
    private int used;
    private int hand;
    private int free = NONE;

    /**
     * Makes an empty cache.
     *
     * @param bytes most bytes of pages that it holds; with less than one page it holds none
     */
    SentPageCache(long bytes) {
        this.most = (int) Math.min(Integer.MAX_VALUE - PIECE_PAGES, bytes / PageCodec.PAGE);
        int count = (most + PIECE_PAGES - 1) / PIECE_PAGES;
        this.pieces = new MemorySegment[count];
        this.owners = new long[count][];
        this.sums = new int[count][];
        this.heat = new byte[count][];
    }

    /** Returns where a page is held, or a number below 0. */
    int slotOf(long page) {
        return used == 0 ? NONE : (int) slots.get(page);
    }

    /** Memory that holds a slot's page. */
    MemorySegment memory(int slot) {
        return pieces[slot / PIECE_PAGES];
    }

    /** Where in it the page begins. */
    long offset(int slot) {
        return (long) (slot % PIECE_PAGES) * PageCodec.PAGE;
    }

    /** CRC32C of a slot's page. */
    int sum(int slot) {
        return sums[slot / PIECE_PAGES][slot % PIECE_PAGES];
    }

    /** Notes what is sent of a page that came again; from the second time on it is held. */
    void keep(long page, MemorySegment bytes, long at, int sum) {
        int slot = slotOf(page);
        if (slot == NONE) {
            slot = !cameBefore(page) || distrusted.contains(page) ? NONE : slotFor(page);
            if (slot == NONE) {
                return;
            }
        } else {
            byte[] warmth = heat[slot / PIECE_PAGES];
            warmth[slot % PIECE_PAGES] =
                    (byte) Math.min(MOST_HEAT, warmth[slot % PIECE_PAGES] + 1);
        }
        MemorySegment.copy(bytes, at, memory(slot), offset(slot), PageCodec.PAGE);
        sums[slot / PIECE_PAGES][slot % PIECE_PAGES] = sum;
    }

    private boolean cameBefore(long page) {
        int bit = (int) page & SEEN_BITS - 1;
        boolean came = seen.get(bit);
        seen.set(bit);
        return came;
    }

    /** Forgets a page: what the target has of it is not known, or something else. */
    void drop(long page) {
        int slot = used == 0 ? NONE : (int) slots.remove(page);
        if (slot != NONE) {
            // The owner's place links the free slots.
            owners[slot / PIECE_PAGES][slot % PIECE_PAGES] = free;
            free = slot;
        }
    }

    /** Forgets a page for good: it arrived as something else than was sent. */
    void distrust(long page) {
        drop(page);
        distrusted.add(page);
    }

    private int slotFor(long page) {
        int slot = free;
        if (slot != NONE) {
            free = (int) owners[slot / PIECE_PAGES][slot % PIECE_PAGES];
        } else if (used < most) {
            slot = used++;
            takeMemory(slot / PIECE_PAGES);
        } else {
            slot = coldSlot();
            if (slot == NONE) {
                return NONE;
            }
        }
        owners[slot / PIECE_PAGES][slot % PIECE_PAGES] = page;
        heat[slot / PIECE_PAGES][slot % PIECE_PAGES] = 1;
        slots.put(page, slot);
        return slot;
    }

    /**
     * Looks at one slot after the other, a look for each page that wants in, and takes some warmth
     * of what it looks at. So pages that come once cannot push out those that come each round.
     */
    private int coldSlot() {
        if (most == 0) {
            return NONE;
        }
        int slot = hand;
        hand = (hand + 1) % most;
        byte[] warmth = heat[slot / PIECE_PAGES];
        if (warmth[slot % PIECE_PAGES] > 0) {
            warmth[slot % PIECE_PAGES]--;
            return NONE;
        }
        slots.remove(owners[slot / PIECE_PAGES][slot % PIECE_PAGES]);
        return slot;
    }

    private void takeMemory(int piece) {
        if (pieces[piece] == null) {
            pieces[piece] = arena.allocate((long) PIECE_PAGES * PageCodec.PAGE, PageCodec.PAGE);
            owners[piece] = new long[PIECE_PAGES];
            sums[piece] = new int[PIECE_PAGES];
            heat[piece] = new byte[PIECE_PAGES];
        }
    }

    /** Frees the memory. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
