package io.pageferry.transport.netty.link;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.round.PageSink;
import io.pageferry.transport.netty.io.FrameSlots;
import io.pageferry.transport.netty.link.SourceChannel.SourceSlot;
import io.pageferry.transport.wire.PageBatchWriter;
import io.pageferry.transport.wire.WireLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.agrona.concurrent.NanoClock;

/**
 * Spreads the pages of a source over its channels; a lane's over those of its own. The migration's
 * thread calls everything, and a lane's thread {@link #claim}, {@link #commit} and {@link #abandon}
 * of its part.
 */
final class SourcePages implements PageSink {
    private final BooleanSupplier up;
    private final BooleanSupplier ready;
    private final NanoClock clock;
    private final List<SourceSlot> claimed = new ArrayList<>();
    private volatile SourceChannel[] channels = {};
    /** Parts of this sink, one for each lane; empty where it is filled as a whole. */
    private volatile List<SourcePages> parts = List.of();
    private int next;
    /** Written by the one thread that fills this part. */
    private volatile long wireBytes;

    /** Takes whether the link is up, whether its channels are ready, and the clock. */
    SourcePages(BooleanSupplier up, BooleanSupplier ready, NanoClock clock) {
        this.up = up;
        this.ready = ready;
        this.clock = clock;
    }

    void use(SourceChannel... opened) {
        channels = opened;
    }

    @Override
    public int lanes() {
        return channels.length;
    }

    @Override
    public PageSink lane(int index, int of) {
        if (of == 1) {
            return this;
        }
        List<SourcePages> made = parts;
        return (made.size() == of ? made : makeParts(of)).get(index);
    }

    private synchronized List<SourcePages> makeParts(int of) {
        if (parts.size() != of) {
            parts = IntStream.range(0, of).mapToObj(i -> part(i, of)).toList();
        }
        return parts;
    }

    /** Every so many-th channel: there may be more of them than lanes. */
    private SourcePages part(int index, int of) {
        SourcePages part = new SourcePages(up, ready, clock);
        part.use(IntStream.iterate(index, i -> i < channels.length, i -> i + of)
                .mapToObj(i -> channels[i]).toArray(SourceChannel[]::new));
        return part;
    }

    @Override
    public PageBatch claim() {
        if (!up.getAsBoolean() || !ready.getAsBoolean()) {
            return null;
        }
        for (int i = 0; i < channels.length; i++) {
            SourceSlot slot = channels[next].claim();
            next = next + 1 == channels.length ? 0 : next + 1;
            if (slot != null) {
                claimed.add(slot);
                return slot.batch();
            }
        }
        return null;
    }

    @Override
    public void commit(PageBatch batch) {
        SourceSlot slot = takeBack(batch);
        SourceChannel channel = channelOf(batch);
        channel.commit(slot, clock.nanoTime());
        if (up.getAsBoolean()) {
            FrameSlots.Slot frame = slot.slot;
            frame.frameAt(PageBatchWriter.write(batch, frame.view(), FrameSlots.PAYLOAD));
            wireBytes = wireBytes + WireLimits.FRAME_HEADER_BYTES + WireLimits.BATCH_HEADER_BYTES
                    + batch.bytes();
            channel.send(slot);
        }
    }

    @Override
    public void abandon(PageBatch batch) {
        channelOf(batch).abandon(takeBack(batch));
    }

    private SourceChannel channelOf(PageBatch batch) {
        for (SourceChannel channel : channels) {
            if (channel.channel() == batch.channel()) {
                return channel;
            }
        }
        throw new IllegalArgumentException("a batch of another lane");
    }

    private SourceSlot takeBack(PageBatch batch) {
        for (int i = claimed.size() - 1; i >= 0; i--) {
            if (claimed.get(i).batch() == batch) {
                return claimed.remove(i);
            }
        }
        throw new IllegalArgumentException("a batch that was not claimed here");
    }

    @Override
    public int unacknowledged() {
        long sum = 0;
        for (SourceChannel channel : channels) {
            sum += channel.unacknowledged();
        }
        return (int) sum;
    }

    /** A link that is slow for one channel is slow for the sink. */
    @Override
    public boolean isTargetBehind() {
        for (SourceChannel each : channels) {
            if (!each.isTargetBehind()) {
                return false;
            }
        }
        return channels.length > 0;
    }

    @Override
    public long[] lastSequences() {
        return Stream.of(channels).mapToLong(SourceChannel::sent).toArray();
    }

    @Override
    public long wireBytes() {
        return wireBytes + parts.stream().mapToLong(SourcePages::wireBytes).sum();
    }

    @Override
    public long reclaim(LongConsumer pages) {
        if (up.getAsBoolean()) {
            throw new IllegalStateException("the link still stands");
        }
        long bytes = 0;
        for (SourceChannel channel : channels) {
            bytes += channel.reclaim(pages);
        }
        return bytes;
    }
}
