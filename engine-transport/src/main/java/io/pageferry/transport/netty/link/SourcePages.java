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
import org.agrona.concurrent.NanoClock;

/** Spreads the pages of a source over its channels. The migration's thread calls everything. */
final class SourcePages implements PageSink {
    private final BooleanSupplier up;
    private final BooleanSupplier ready;
    private final NanoClock clock;
    private final List<SourceSlot> claimed = new ArrayList<>();
    private SourceChannel[] channels = {};
    private int next;
    private long wireBytes;

    /** Takes whether the link is up, whether its channels are ready, and the clock. */
    SourcePages(BooleanSupplier up, BooleanSupplier ready, NanoClock clock) {
        this.up = up;
        this.ready = ready;
        this.clock = clock;
    }

    void use(SourceChannel[] opened) {
        channels = opened;
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
        SourceChannel channel = channels[batch.channel()];
        channel.commit(slot, clock.nanoTime());
        if (up.getAsBoolean()) {
            FrameSlots.Slot frame = slot.slot;
            frame.frameAt(PageBatchWriter.write(batch, frame.view(), FrameSlots.PAYLOAD));
            wireBytes += WireLimits.FRAME_HEADER_BYTES + WireLimits.BATCH_HEADER_BYTES
                    + batch.bytes();
            channel.send(slot);
        }
    }

    @Override
    public void abandon(PageBatch batch) {
        channels[batch.channel()].abandon(takeBack(batch));
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

    @Override
    public long[] lastSequences() {
        long[] last = new long[channels.length];
        for (int i = 0; i < last.length; i++) {
            last[i] = channels[i].sent();
        }
        return last;
    }

    @Override
    public long wireBytes() {
        return wireBytes;
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
