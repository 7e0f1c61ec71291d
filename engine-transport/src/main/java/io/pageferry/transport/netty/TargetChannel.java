package io.pageferry.transport.netty;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.wire.FrameVerifier;
import io.pageferry.transport.wire.PageBatchReader;
import io.pageferry.transport.wire.WireException;
import java.util.ArrayDeque;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One data channel at a target: slots go from free to arrived to delivered to free. The IO thread
 * takes free ones and queues arrived ones; the migration's thread does the rest.
 */
final class TargetChannel implements FrameConnection.Batches {
    private final long generation;
    private final int channel;
    private final int window;
    /** The last one first, for the caches still hold it; guarded by itself. */
    private final ArrayDeque<FrameSlots.Slot> free = new ArrayDeque<>();
    private final ArrayBlockingQueue<FrameSlots.Slot> arrived;
    private final ArrayDeque<FrameSlots.Slot> delivered = new ArrayDeque<>();
    private final PageBatchReader reader;
    private final AtomicReference<FrameConnection> connection = new AtomicReference<>();
    private final AtomicBoolean acknowledging = new AtomicBoolean();
    private final Runnable acknowledge = this::acknowledge;
    private volatile long applied;

    TargetChannel(Message.Welcome welcome, int channel, RegionTable regions) {
        this.generation = welcome.generation();
        this.channel = channel;
        this.window = welcome.window();
        this.arrived = new ArrayBlockingQueue<>(window);
        this.reader = new PageBatchReader(regions, generation, channel);
    }

    void give(FrameSlots.Slot slot) {
        synchronized (free) {
            free.push(slot);
        }
    }

    /** Takes the connection of this channel; false when it has one. */
    boolean take(FrameConnection itsOwn) {
        return connection.compareAndSet(null, itsOwn);
    }

    // --- the IO thread's

    @Override
    public FrameSlots.Slot slot() throws WireException {
        FrameSlots.Slot slot;
        synchronized (free) {
            slot = free.poll();
        }
        if (slot == null) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "batch sequence",
                    "a batch beyond the credit of " + (applied + window));
        }
        return slot;
    }

    @Override
    public void arrived(FrameSlots.Slot slot, FrameVerifier frame) throws WireException {
        reader.read(slot.view, slot.bodyAt(), frame, applied + window, slot.batch);
        arrived.add(slot);
    }

    private void acknowledge() {
        acknowledging.set(false);
        long upTo = applied;
        connection.get().sendNow(new Message.Ack(generation, channel, upTo, upTo + window));
    }

    // --- the migration thread's

    PageBatch poll() {
        FrameSlots.Slot slot = arrived.poll();
        if (slot == null) {
            return null;
        }
        slot.done = false;
        delivered.add(slot);
        return slot.batch;
    }

    /** Frees slots in the order of the stream: an acknowledgement is cumulative. */
    void applied(PageBatch batch) {
        for (FrameSlots.Slot slot : delivered) {
            if (slot.batch == batch) {
                slot.done = true;
                break;
            }
        }
        long upTo = applied;
        while (!delivered.isEmpty() && delivered.peek().done) {
            upTo++;
            give(delivered.poll());
        }
        if (upTo != applied) {
            applied = upTo;
            if (!acknowledging.getAndSet(true)) {
                connection.get().run(acknowledge);
            }
        }
    }
}
