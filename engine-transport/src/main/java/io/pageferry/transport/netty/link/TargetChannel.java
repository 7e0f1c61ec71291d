package io.pageferry.transport.netty.link;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.netty.io.FrameConnection;
import io.pageferry.transport.netty.io.FrameDecoder;
import io.pageferry.transport.netty.io.FrameSlots;
import io.pageferry.transport.wire.FrameVerifier;
import io.pageferry.transport.wire.PageBatchReader;
import io.pageferry.transport.wire.WireException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One data channel at a target: slots go from free to arrived to delivered to free. The IO thread
 * takes free ones and queues arrived ones; the migration's thread does the rest.
 */
final class TargetChannel implements FrameDecoder.Batches, AutoCloseable {
    private final long generation;
    private final int channel;
    private final int window;
    private final boolean backlog;
    /** Made when a connection attaches; guarded by {@link #free}. */
    private FrameSlots slots;
    private boolean closed;
    /** The last one first, for the caches still hold it; guarded by itself. */
    private final ArrayDeque<FrameSlots.Slot> free = new ArrayDeque<>();
    private final ArrayBlockingQueue<FrameSlots.Slot> arrived;
    private final ArrayDeque<FrameSlots.Slot> delivered = new ArrayDeque<>();
    /** Applied, though not yet in their turn. */
    private final ArrayList<PageBatch> early = new ArrayList<>();
    private final PageBatchReader reader;
    private final AtomicReference<FrameConnection> connection = new AtomicReference<>();
    private final AtomicBoolean acknowledging = new AtomicBoolean();
    private final Runnable acknowledge = this::acknowledge;
    private volatile long applied;

    TargetChannel(Message.Welcome welcome, int channel, RegionTable regions) {
        this.generation = welcome.generation();
        this.channel = channel;
        this.window = welcome.window();
        this.backlog = (welcome.features() & Message.FEATURE_BACKLOG) != 0;
        this.arrived = new ArrayBlockingQueue<>(window);
        this.reader = new PageBatchReader(regions, generation, channel);
    }

    private void give(FrameSlots.Slot slot) {
        synchronized (free) {
            free.push(slot);
        }
    }

    /** Gives the memory up. */
    @Override
    public void close() {
        synchronized (free) {
            closed = true;
            if (slots != null) {
                slots.close();
                slots = null;
                free.clear();
            }
        }
    }

    /** Takes the connection of this channel; false when it has one, or takes none any more. */
    boolean take(FrameConnection itsOwn) {
        return connection.compareAndSet(null, itsOwn) && makeSlots();
    }

    /** Not sooner: a channel that nobody attaches to costs no memory. */
    private boolean makeSlots() {
        synchronized (free) {
            if (!closed) {
                slots = new FrameSlots(window);
                slots.slots().forEach(free::push);
            }
            return !closed;
        }
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
        reader.read(slot.view(), slot.bodyAt(), frame, applied + window, slot.batch());
        arrived.add(slot);
    }

    private void acknowledge() {
        acknowledging.set(false);
        long upTo = applied;
        connection.get().sendNow(new Message.Ack(generation, channel, upTo, upTo + window,
                backlog ? arrived.size() : 0));
    }

    // --- the migration thread's

    PageBatch poll() {
        FrameSlots.Slot slot = arrived.poll();
        if (slot == null) {
            return null;
        }
        delivered.add(slot);
        return slot.batch();
    }

    /** Frees slots in the order of the stream: an acknowledgement is cumulative. */
    void applied(PageBatch batch) {
        early.add(batch);
        long upTo = applied;
        while (!delivered.isEmpty() && early.remove(delivered.peek().batch())) {
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
