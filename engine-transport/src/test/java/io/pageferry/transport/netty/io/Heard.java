package io.pageferry.transport.netty.io;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.wire.FrameVerifier;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.PageBatchReader;
import io.pageferry.transport.wire.Preamble;
import io.pageferry.transport.wire.WireException;
import io.pageferry.transport.wire.WireLimits;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A connection that notes what it hears: data channel 0, once it heard a message. */
final class Heard implements FrameDecoder.Receiver, FrameDecoder.Batches {
    private static final RegionTable REGIONS = RegionTable.single("ram", 256 * 4096);

    private static final int USUAL_BODY = 4096;

    /** Without Netty's search for leaks, which allocates: here each buffer is looked at itself. */
    private static final ByteBufAllocator BUFFERS = new UnpooledByteBufAllocator(false, true);

    /** What happened, in its order. */
    final List<String> log = new ArrayList<>();

    private final FrameSlots slots;
    private final boolean hesitates;
    private final FrameDecoder decoder = new FrameDecoder(this);
    private final PageBatchReader batches = new PageBatchReader(REGIONS, 1, 0);
    private final List<ByteBuf> given = new ArrayList<>();
    private int next;
    private int arrived;
    private long grown;
    private boolean offeredBefore;
    private boolean ended;

    /** Hesitates: has no room for a message when it is offered first. */
    Heard(FrameSlots slots, boolean hesitates) {
        this.slots = slots;
        this.hesitates = hesitates;
    }

    /** Gives it bytes as a socket would: so many at most at once, where the decoder wants them. */
    void hear(byte[] bytes, int most, boolean intoSlots) {
        var reads = decoder.reads().newHandle();
        while (arrived < bytes.length) {
            ByteBuf in = intoSlots ? reads.allocate(BUFFERS)
                    : BUFFERS.heapBuffer(bytes.length - arrived);
            int count = Math.min(Math.min(most, bytes.length - arrived), in.writableBytes());
            require(count > 0, "a read of no bytes");
            in.writeBytes(bytes, arrived, count);
            arrived += count;
            given.add(in);
            decoder.channelRead(null, in);
            goOn();
            require(grown <= 2L * arrived, grown + " bytes more for " + arrived);
        }
        decoder.channelInactive(null);
        goOn();
        decoder.discard();
        require(ended, "the end was not heard");
        for (FrameSlots.Slot slot : slots.slots()) {
            require(slot.isFree(), "a slot is still held");
            given.removeIf(one -> one == slot.bytes());
        }
        given.forEach(one -> require(one.refCnt() == 0, "a buffer was not given back"));
    }

    private void goOn() {
        while (decoder.isPaused()) {
            decoder.proceed();
        }
    }

    @Override
    public void opened(Channel channel) {
        throw new AssertionError("there is no channel");
    }

    @Override
    public void heard() {
        require(!ended, "heard behind the end");
    }

    @Override
    public void preamble(Preamble peer) throws WireException {
        Preamble.OURS.agree(peer);
        log.add(peer.toString());
    }

    @Override
    public boolean message(Message message) {
        if (hesitates && !offeredBefore) {
            offeredBefore = true;
            return false;
        }
        offeredBefore = false;
        decoder.deliverTo(this);
        log.add(message.getClass().getSimpleName() + Arrays.hashCode(MessageCodec.encode(message)));
        return true;
    }

    @Override
    public FrameSlots.Slot slot() throws WireException {
        if (next == slots.slots().size()) {
            throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "batch", "no slot is free");
        }
        return slots.slots().get(next++);
    }

    @Override
    public void arrived(FrameSlots.Slot slot, FrameVerifier frame) throws WireException {
        batches.read(slot.view(), slot.bodyAt(), frame, slots.slots().size(), slot.batch());
        PageBatch batch = slot.batch();
        log.add("batch " + batch.sequence() + ", " + batch.count() + " pages, "
                + Arrays.hashCode(batch.payload().asSlice(0, batch.payloadBytes())
                        .toArray(ValueLayout.JAVA_BYTE)));
    }

    @Override
    public WireException unexpectedBatch() {
        return new WireException(ErrorCode.PROTOCOL_VIOLATION, "batch", "unexpected");
    }

    @Override
    public void grows(int bytes) {
        require(bytes > 0 && bytes <= WireLimits.MAX_MESSAGE_BODY - USUAL_BODY, "grows " + bytes);
        grown += bytes;
    }

    @Override
    public void writable() {
        throw new AssertionError("there is no socket");
    }

    @Override
    public void broken(WireException violation) {
        require(log.isEmpty() || !log.getLast().startsWith("broken"), "broken twice");
        log.add("broken: " + violation.getMessage());
    }

    @Override
    public void left() {
        throw new AssertionError("there is no other protocol");
    }

    @Override
    public void inputEnded(String why) {
        ended = true;
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
