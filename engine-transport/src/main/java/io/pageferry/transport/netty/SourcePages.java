package io.pageferry.transport.netty;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.flow.FlightLimit;
import io.pageferry.core.round.PageSink;
import io.pageferry.transport.wire.PageBatchWriter;
import io.pageferry.transport.wire.WireException;
import io.pageferry.transport.wire.WireLimits;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The road of the pages at a source: slots per channel, credit, debt. The migration's thread calls
 * everything but {@link Lane#acknowledged}.
 */
final class SourcePages implements PageSink {
    private final NettySourceLink link;
    private final List<FrameSlots.Slot> claimed = new ArrayList<>();
    private Lane[] lanes = {};
    private FrameSlots slots;
    private long generation;
    private int next;
    private long wireBytes;

    SourcePages(NettySourceLink link) {
        this.link = link;
    }

    /** Makes the slots of what the target granted. */
    Lane[] open(Message.Welcome welcome, int window) {
        generation = welcome.generation();
        slots = new FrameSlots(welcome.channels() * window);
        lanes = new Lane[welcome.channels()];
        for (int channel = 0; channel < lanes.length; channel++) {
            lanes[channel] = new Lane(channel, generation, welcome.window(),
                    new FlightLimit(window));
            for (int i = 0; i < window; i++) {
                lanes[channel].free.add(slots.slot(channel * window + i));
            }
        }
        return lanes;
    }

    /** Gives the memory up; the debt stays. */
    void close() {
        if (slots != null) {
            slots.close();
        }
    }

    @Override
    public PageBatch claim() {
        if (!link.isUp() || !link.channelsReady()) {
            return null;
        }
        for (int i = 0; i < lanes.length; i++) {
            Lane lane = lanes[next];
            next = next + 1 == lanes.length ? 0 : next + 1;
            FrameSlots.Slot slot = lane.claim();
            if (slot != null) {
                claimed.add(slot);
                slot.batch.begin(0, 0);
                slot.batch.stamp(generation, lane.channel, 0);
                return slot.batch;
            }
        }
        return null;
    }

    @Override
    public void commit(PageBatch batch) {
        FrameSlots.Slot slot = takeBack(batch);
        Lane lane = lanes[batch.channel()];
        batch.stamp(generation, lane.channel, ++lane.sent);
        slot.sentNanos = link.nanoTime();
        lane.claims--;
        lane.flying.add(slot);
        if (link.isUp()) {
            slot.frameAt = PageBatchWriter.write(batch, slot.view, FrameSlots.PAYLOAD);
            wireBytes += wireBytes(batch);
            slot.connection.run(slot);
        }
    }

    private static long wireBytes(PageBatch batch) {
        return WireLimits.FRAME_HEADER_BYTES + WireLimits.BATCH_HEADER_BYTES + batch.bytes();
    }

    @Override
    public void abandon(PageBatch batch) {
        FrameSlots.Slot slot = takeBack(batch);
        Lane lane = lanes[batch.channel()];
        lane.claims--;
        lane.free.push(slot);
    }

    private FrameSlots.Slot takeBack(PageBatch batch) {
        for (int i = claimed.size() - 1; i >= 0; i--) {
            if (claimed.get(i).batch == batch) {
                return claimed.remove(i);
            }
        }
        throw new IllegalArgumentException("a batch that was not claimed here");
    }

    @Override
    public int unacknowledged() {
        long sum = 0;
        for (Lane lane : lanes) {
            sum += lane.reclaimed ? 0 : lane.sent - lane.applied;
        }
        return (int) sum;
    }

    @Override
    public long[] lastSequences() {
        long[] last = new long[lanes.length];
        for (int i = 0; i < last.length; i++) {
            last[i] = lanes[i].sent;
        }
        return last;
    }

    @Override
    public long wireBytes() {
        return wireBytes;
    }

    @Override
    public long reclaim(LongConsumer pages) {
        if (link.isUp()) {
            throw new IllegalStateException("the link still stands");
        }
        long bytes = 0;
        for (Lane lane : lanes) {
            bytes += lane.reclaim(pages);
        }
        return bytes;
    }

    /** One channel. */
    static final class Lane {
        private final int channel;
        private final long generation;
        private final ArrayDeque<FrameSlots.Slot> free = new ArrayDeque<>();
        private final ArrayDeque<FrameSlots.Slot> flying = new ArrayDeque<>();
        private boolean ready;
        private int claims;
        private final FlightLimit limit;
        private volatile long sent;
        /** When the last acknowledgement came; written before {@link #applied}. */
        private long appliedNanos;
        private volatile long applied;
        private volatile long credit;
        private boolean reclaimed;

        Lane(int channel, long generation, long credit, FlightLimit limit) {
            this.channel = channel;
            this.generation = generation;
            this.credit = credit;
            this.limit = limit;
        }

        int channel() {
            return channel;
        }

        /** Every slot of a lane goes out on one connection for ever. */
        void use(FrameConnection connection) {
            free.forEach(slot -> slot.connection = connection);
        }

        /** True once, for the target's first word; on the channel's IO thread. */
        boolean first() {
            boolean was = ready;
            ready = true;
            return !was;
        }

        private FrameSlots.Slot claim() {
            long known = applied;
            // Acknowledged is not enough: the socket may not have let go of the slot yet.
            while (!flying.isEmpty() && flying.peek().batch.sequence() <= known
                    && flying.peek().bytes.refCnt() == 1) {
                FrameSlots.Slot back = flying.poll();
                if (back.batch.sequence() == known) {
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
            return free.poll();
        }

        /** An acknowledgement may still come, even now: nothing is owed any more all the same. */
        private long reclaim(LongConsumer pages) {
            long bytes = 0;
            reclaimed = true;
            long known = applied;
            for (FrameSlots.Slot slot : flying) {
                PageBatch batch = slot.batch;
                if (batch.sequence() <= known) {
                    continue;
                }
                bytes += wireBytes(batch);
                for (int i = 0; i < batch.count(); i++) {
                    pages.accept(PageBatch.pageOf(batch.descriptorAt(i)));
                }
            }
            flying.clear();
            return bytes;
        }

        /** Takes the target's word; on the channel's IO thread. */
        void acknowledged(Message.Ack ack, long nanoTime) throws WireException {
            if (ack.generation() != generation || ack.channel() != channel) {
                throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "ack generation",
                        ack + " in generation " + generation + " on channel " + channel);
            }
            if (ack.applied() < applied || ack.applied() > sent || ack.credit() < credit) {
                throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "ack applied",
                        ack + " after " + applied + " applied, " + sent + " sent, credit "
                                + credit);
            }
            appliedNanos = nanoTime;
            applied = ack.applied();
            credit = ack.credit();
        }
    }
}
