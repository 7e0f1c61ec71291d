package io.pageferry.transport.netty.link;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.flow.FlightLimit;
import io.pageferry.transport.netty.io.FrameConnection;
import io.pageferry.transport.netty.io.FrameSlots;
import io.pageferry.transport.wire.WireException;
import io.pageferry.transport.wire.WireLimits;
import java.util.ArrayDeque;
import java.util.function.LongConsumer;

/**
 * One channel of pages at a source: its slots go from free to claimed to sent to free. One
 * thread at a time, the migration's or that of its lane, calls everything but {@link #sent} and
 * {@link #unacknowledged}, which the migration's calls, and {@link #checkGranted} and {@link
 * #acknowledged}.
 */
final class SourceChannel implements AutoCloseable {
    private final int channel;
    private final long generation;
    private final FrameConnection connection;
    private final FrameSlots slots;
    /** Most batches that may wait at the target by its word. */
    private final int mostWaiting;
    private final ArrayDeque<SourceSlot> free = new ArrayDeque<>();
    private final ArrayDeque<SourceSlot> sentSlots = new ArrayDeque<>();
    private final FlightLimit limit;
    private int claims;
    private volatile long sent;
    /** When the last acknowledgement came; written before {@link #applied}. */
    private long appliedNanos;
    private volatile long applied;
    private volatile long credit;
    private volatile int waiting;
    private boolean reclaimed;

    /** A slot and the connection that carries it; its own task, so that no batch makes one. */
    static final class SourceSlot implements Runnable {
        final FrameSlots.Slot slot;
        private final FrameConnection connection;
        private long sentNanos;

        private SourceSlot(FrameSlots.Slot slot, FrameConnection connection) {
            this.slot = slot;
            this.connection = connection;
        }

        PageBatch batch() {
            return slot.batch();
        }

        @Override
        public void run() {
            connection.sendSlot(slot);
        }
    }

    SourceChannel(Message.Welcome welcome, int channel, int window, FrameConnection connection) {
        this.channel = channel;
        this.generation = welcome.generation();
        this.credit = welcome.window();
        this.connection = connection;
        this.limit = new FlightLimit(window);
        this.slots = new FrameSlots(window);
        this.mostWaiting = (welcome.features() & Message.FEATURE_BACKLOG) == 0 ? 0
                : welcome.window();
        slots.slots().forEach(slot -> free.add(new SourceSlot(slot, connection)));
    }

    int channel() {
        return channel;
    }

    FrameConnection connection() {
        return connection;
    }

    /** Gives the memory up; the debt stays. */
    @Override
    public void close() {
        slots.close();
    }

    /** Gives an empty batch; null when no more may be on their way now. */
    SourceSlot claim() {
        long known = applied;
        // Acknowledged is not enough: the socket may not have let go of the slot yet.
        while (!sentSlots.isEmpty() && sentSlots.peek().batch().sequence() <= known
                && sentSlots.peek().slot.isFree()) {
            SourceSlot back = sentSlots.poll();
            if (back.batch().sequence() == known) {
                limit.took(appliedNanos - back.sentNanos);
            }
            // The last one first: the caches still hold it.
            free.push(back);
        }
        if (!limit.allows((int) (sent - known) + claims) || sent + claims >= credit
                || free.isEmpty()) {
            return null;
        }
        claims++;
        SourceSlot slot = free.poll();
        slot.batch().begin(0, 0);
        slot.batch().stamp(generation, channel, 0);
        return slot;
    }

    /** Makes a claimed batch the next one of this channel. */
    void commit(SourceSlot slot, long nanoTime) {
        slot.batch().stamp(generation, channel, ++sent);
        slot.sentNanos = nanoTime;
        claims--;
        sentSlots.add(slot);
    }

    /** Hands a batch to the IO thread. */
    void send(SourceSlot slot) {
        connection.run(slot);
    }

    void abandon(SourceSlot slot) {
        claims--;
        free.push(slot);
    }

    long sent() {
        return sent;
    }

    long unacknowledged() {
        return reclaimed ? 0 : sent - applied;
    }

    /** Whether more had arrived at the target than it had applied when it last said so. */
    boolean isTargetBehind() {
        return waiting > 0;
    }

    /** An acknowledgement may still come, even now: nothing is owed any more all the same. */
    long reclaim(LongConsumer pages) {
        long bytes = 0;
        reclaimed = true;
        long known = applied;
        for (SourceSlot slot : sentSlots) {
            PageBatch batch = slot.batch();
            if (batch.sequence() <= known) {
                continue;
            }
            bytes += WireLimits.FRAME_HEADER_BYTES + WireLimits.BATCH_HEADER_BYTES
                    + batch.bytes();
            for (int i = 0; i < batch.count(); i++) {
                pages.accept(PageBatch.pageOf(batch.descriptorAt(i)));
            }
        }
        sentSlots.clear();
        return bytes;
    }

    // --- on the channel's IO thread

    /** Checks that the target's yes is to this channel. */
    void checkGranted(Message.ChannelReady ready) throws WireException {
        if (ready.channel() != channel || ready.generation() != generation) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "channel",
                    ready + " for channel " + channel);
        }
    }

    /** Takes an acknowledgement. */
    void acknowledged(Message.Ack ack, long nanoTime) throws WireException {
        if (ack.generation() != generation || ack.channel() != channel) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "ack generation",
                    ack + " in generation " + generation + " on channel " + channel);
        }
        if (ack.applied() < applied || ack.applied() > sent || ack.credit() < credit) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "ack applied",
                    ack + " after " + applied + " applied, " + sent + " sent, credit " + credit);
        }
        if (ack.waiting() > mostWaiting) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "ack waiting",
                    ack + ", and no more than " + mostWaiting + " can wait");
        }
        waiting = ack.waiting();
        appliedNanos = nanoTime;
        applied = ack.applied();
        credit = ack.credit();
    }
}
