package io.pageferry.core.testing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.Message;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.function.LongConsumer;

/** One data channel of {@link MemoryLinks}: slots on both sides, and what is between them. */
final class MemoryChannel {
    private final Arena arena;
    private final int index;
    private final int window;
    private final long generation;
    private final ArrayDeque<PageBatch> free = new ArrayDeque<>();
    private final ArrayDeque<PageBatch> debt = new ArrayDeque<>();
    private final ArrayDeque<PageBatch> travelling = new ArrayDeque<>();
    private final ArrayDeque<PageBatch> freeThere = new ArrayDeque<>();
    private int acksUnderWay;
    private int claimed;
    private long committed;

    MemoryChannel(Arena arena, int index, Message.Welcome granted) {
        this.arena = arena;
        this.index = index;
        this.window = granted.window();
        this.generation = granted.generation();
    }

    /** What a batch takes on the wire, with its headers. */
    static long wireBytes(PageBatch batch) {
        return batch.bytes() + 72L;
    }

    PageBatch claim() {
        if (debt.size() + claimed >= window) {
            return null;
        }
        claimed++;
        PageBatch slot = free.isEmpty() ? slot() : free.poll();
        slot.stamp(generation, index, 0);
        return slot;
    }

    void commit(PageBatch batch, boolean up) {
        claimed--;
        batch.stamp(generation, index, ++committed);
        debt.add(batch);
        if (up) {
            travelling.add(batch);
        }
    }

    void abandon(PageBatch batch) {
        claimed--;
        free.add(batch);
    }

    int unacknowledged() {
        return debt.size();
    }

    long lastSequence() {
        return committed;
    }

    long reclaim(LongConsumer pages) {
        long bytes = 0;
        for (PageBatch batch : debt) {
            bytes += wireBytes(batch);
            for (int i = 0; i < batch.count(); i++) {
                pages.accept(PageBatch.pageOf(batch.descriptorAt(i)));
            }
        }
        free.addAll(debt);
        debt.clear();
        travelling.clear();
        acksUnderWay = 0;
        return bytes;
    }

    boolean hasTravelling() {
        return !travelling.isEmpty();
    }

    /** Loses all that travels but the first few. */
    void lose(int batchesKept, int acksKept) {
        while (travelling.size() > batchesKept) {
            travelling.removeLast();
        }
        acksUnderWay = Math.min(acksUnderWay, acksKept);
    }

    /** A copy of the oldest batch that travels, as a frame would carry it. */
    PageBatch arrive() {
        PageBatch sent = travelling.poll();
        PageBatch here = freeThere.isEmpty() ? slot() : freeThere.poll();
        here.begin(sent.region(), sent.round());
        MemorySegment.copy(sent.payload(), 0, here.payload(), 0, sent.payloadBytes());
        for (int i = 0; i < sent.count(); i++) {
            here.setEntry(i, sent.descriptorAt(i), sent.checksumAt(i), sent.referenceAt(i));
        }
        here.received(sent.count(), sent.payloadBytes());
        here.stamp(sent.generation(), index, sent.sequence());
        return here;
    }

    void applied(PageBatch batch, boolean up) {
        freeThere.add(batch);
        if (up) {
            acksUnderWay++;
        }
    }

    boolean hasAck() {
        return acksUnderWay > 0;
    }

    void takeAck() {
        acksUnderWay--;
        free.add(debt.poll());
    }

    private PageBatch slot() {
        return new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY, Long.BYTES));
    }
}
