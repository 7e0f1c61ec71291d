package io.pageferry.transport.local;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.Message;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongConsumer;

/**
 * One data channel. The source claims a slot, fills it and commits it; the target reads the same
 * memory, and acknowledges how far it came; then the slot is free again. No slot is used by both at
 * once, and none beyond the window is ever made.
 *
 * <p>Slots are freed by the garbage collector: after a loss neither side knows whether the other
 * still reads one.
 */
final class LocalChannel {
    private final int channel;
    private final int window;
    private final long generation;
    private final Queue<PageBatch> travelling = new ConcurrentLinkedQueue<>();

    /** Every batch up to this number is in the image. */
    private volatile long appliedUpTo;

    // The source's.
    private final ArrayDeque<PageBatch> free = new ArrayDeque<>();
    private final ArrayDeque<PageBatch> debt = new ArrayDeque<>();
    private int claimed;
    private long committed;

    // The target's.
    private final TreeSet<Long> appliedEarly = new TreeSet<>();

    LocalChannel(Message.Welcome granted, int channel) {
        this.channel = channel;
        this.window = granted.window();
        this.generation = granted.generation();
    }

    /** What a batch would take on the wire: its payload and its directory. */
    static long bytes(PageBatch batch) {
        return batch.bytes();
    }

    // --- by the source's thread

    PageBatch claim() {
        settle();
        if (debt.size() + claimed >= window) {
            return null;
        }
        claimed++;
        PageBatch slot = free.isEmpty() ? new PageBatch(Arena.ofAuto()
                .allocate(PageBatch.PAYLOAD_CAPACITY, Long.BYTES)) : free.poll();
        slot.stamp(generation, channel, 0);
        return slot;
    }

    void commit(PageBatch batch, boolean up) {
        claimed--;
        batch.stamp(generation, channel, ++committed);
        debt.add(batch);
        if (up) {
            travelling.add(batch);
        }
    }

    void abandon(PageBatch batch) {
        claimed--;
        free.add(batch);
    }

    /** Takes back the slots of what was applied; returns how many. */
    int settle() {
        long upTo = appliedUpTo;
        int settled = 0;
        while (!debt.isEmpty() && debt.peek().sequence() <= upTo) {
            free.add(debt.poll());
            settled++;
        }
        return settled;
    }

    int unacknowledged() {
        settle();
        return debt.size();
    }

    long lastSequence() {
        return committed;
    }

    long reclaim(LongConsumer pages) {
        long bytes = 0;
        for (PageBatch batch : debt) {
            bytes += bytes(batch);
            for (int i = 0; i < batch.count(); i++) {
                pages.accept(PageBatch.pageOf(batch.descriptorAt(i)));
            }
        }
        debt.clear();
        return bytes;
    }

    // --- by the target's thread

    PageBatch arrived() {
        return travelling.poll();
    }

    /** Batches may be applied in any order; acknowledged is the part without a gap. */
    void applied(long sequence) {
        appliedEarly.add(sequence);
        long upTo = appliedUpTo;
        while (appliedEarly.remove(upTo + 1)) {
            upTo++;
        }
        appliedUpTo = upTo;
    }
}
