package io.pageferry.transport.netty.io;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.pageferry.core.link.Message;
import io.pageferry.transport.netty.tls.HandshakeBytes;
import io.pageferry.transport.netty.tls.TlsGate;
import io.pageferry.transport.wire.FrameVerifier;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.MessageType;
import io.pageferry.transport.wire.Preamble;
import io.pageferry.transport.wire.WireException;
import io.pageferry.transport.wire.WireLimits;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;

/**
 * Cuts the bytes of one connection into preamble, messages and batches, on its IO thread. Pages go
 * straight into a slot; a message's body grows with what arrived and never with what was announced.
 *
 * <p>When the link has no room for a message, it is held here and nothing more is read.
 */
public final class FrameDecoder extends ChannelInboundHandlerAdapter {
    private static final int USUAL_BODY = 4096;
    private static final int USUAL_READ = 64 * 1024;

    private enum Part { PREAMBLE, HEADER, BODY, NOTHING }

    /** Takes what was cut, and what else happens to the channel; on its IO thread. */
    interface Receiver {
        void opened(Channel channel);

        /** Bytes came, whatever they are. */
        void heard();

        void preamble(Preamble peer) throws WireException;

        /** Takes a message; false when there is no room now: it is held, and offered again. */
        boolean message(Message message) throws WireException;

        /** Makes the error of a batch that comes where none was expected. */
        WireException unexpectedBatch();

        /** The body of a message, or the handshake of TLS, takes so many bytes more. */
        void grows(int bytes);

        /** The socket takes bytes again. */
        void writable();

        /** The peer broke the protocol; nothing more is delivered. */
        void broken(WireException violation);

        /** The channel goes to another protocol: nothing is to be done with it any more. */
        void left();

        /** All that arrived was delivered, and nothing more comes. */
        void inputEnded(String why);
    }

    /** Gives the batches of a data connection their memory; on its IO thread. */
    public interface Batches {
        /**
         * Gives memory for the batch that begins to come.
         *
         * @return a slot that is not in use
         * @throws WireException when the peer may not send one
         */
        FrameSlots.Slot slot() throws WireException;

        /**
         * Takes a batch whose directory has the checksum in its frame.
         *
         * @param slot  as {@link #slot} gave it
         * @param frame checked it
         * @throws WireException when a field of it does not hold
         */
        void arrived(FrameSlots.Slot slot, FrameVerifier frame) throws WireException;
    }

    private final Receiver receiver;
    private final FrameVerifier verifier = new FrameVerifier();
    private final ByteBuffer header = ByteBuffer.allocate(WireLimits.FRAME_HEADER_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    private final ArrayDeque<ByteBuf> waiting = new ArrayDeque<>();
    private ByteBuffer body = ByteBuffer.allocate(USUAL_BODY).order(ByteOrder.LITTLE_ENDIAN);
    private Part part = Part.PREAMBLE;
    private int filled;
    private Batches batches;
    private FrameSlots.Slot slot;
    private Message held;
    private String end;

    FrameDecoder(Receiver receiver) {
        this.receiver = receiver;
    }

    /** Sets where batches go; until then one is an error. */
    void deliverTo(Batches next) {
        batches = next;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        receiver.opened(context.channel());
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object bytes) {
        receiver.heard();
        ByteBuf in = (ByteBuf) bytes;
        if (slot != null && in == slot.bytes()) {
            filled += in.readableBytes();
            in.release();
        } else {
            waiting.add(in);
        }
        proceed();
    }

    /** Where the socket is to put what comes next, when that is the middle of a batch. */
    private ByteBuf place() {
        return slot == null || !waiting.isEmpty() ? null
                : slot.toFill(slot.bodyAt() + filled, slot.bodyAt() + verifier.bodyLength());
    }

    /** How much to read at once. On a data channel a frame, so that its batch needs no copy. */
    private int guess() {
        return batches == null ? USUAL_READ : switch (part) {
            case HEADER -> WireLimits.FRAME_HEADER_BYTES - filled;
            case BODY -> Math.min(USUAL_READ, verifier.bodyLength() - filled);
            default -> USUAL_READ;
        };
    }

    /** Makes Netty read batches straight into their slots. */
    RecvByteBufAllocator reads() {
        return new DefaultMaxMessagesRecvByteBufAllocator() {
            @Override
            public MaxMessageHandle newHandle() {
                return new MaxMessageHandle() {
                    @Override
                    public ByteBuf allocate(ByteBufAllocator buffers) {
                        ByteBuf own = place();
                        return own == null ? super.allocate(buffers) : own;
                    }

                    @Override
                    public int guess() {
                        return FrameDecoder.this.guess();
                    }
                };
            }
        };
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        receiver.writable();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        ended("the peer closed the connection");
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            ended("the peer closed the connection");
        } else if (event instanceof TlsGate.Leaving) {
            discard();
            receiver.left();
            context.pipeline().remove(this);
        } else if (event instanceof HandshakeBytes more) {
            receiver.grows(more.count());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        ended(String.valueOf(cause.getMessage()));
        context.close();
    }

    private void ended(String why) {
        if (end == null) {
            end = why;
            proceed();
        }
    }

    /** Takes no byte any more; what comes is dropped. */
    void discard() {
        part = Part.NOTHING;
        slot = null;
        held = null;
    }

    /** Returns whether a message waits for room in the link. */
    boolean isPaused() {
        return held != null;
    }

    /** Goes on with what has arrived, as far as the link has room. */
    void proceed() {
        try {
            if (held != null && !deliver(held)) {
                return;
            }
            if (slot != null && filled == verifier.bodyLength()) {
                finishBatch();
            }
            while (!waiting.isEmpty()) {
                ByteBuf in = waiting.peek();
                while (in.isReadable()) {
                    take(in);
                    if (held != null) {
                        return;
                    }
                }
                waiting.poll().release();
            }
        } catch (WireException e) {
            discard();
            receiver.broken(e);
            waiting.forEach(ByteBuf::release);
            waiting.clear();
        }
        if (end != null) {
            receiver.inputEnded(end);
        }
    }

    private void take(ByteBuf in) throws WireException {
        switch (part) {
            case PREAMBLE -> takePreamble(in);
            case HEADER -> {
                if (fill(in, header, 0, WireLimits.FRAME_HEADER_BYTES)) {
                    verifier.header(header, 0);
                    begin();
                }
            }
            case BODY -> takeBody(in);
            case NOTHING -> in.skipBytes(in.readableBytes());
        }
    }

    private void takePreamble(ByteBuf in) throws WireException {
        boolean whole = fill(in, header, 0, Preamble.BYTES);
        Preamble.checkMagic(header, whole ? Preamble.BYTES : filled);
        if (whole) {
            part = Part.HEADER;
            receiver.preamble(Preamble.decode(header));
        }
    }

    private void begin() throws WireException {
        part = Part.BODY;
        if (verifier.type() == MessageType.BATCH) {
            if (batches == null) {
                throw receiver.unexpectedBatch();
            }
            slot = batches.slot();
            slot.frameAt(FrameSlots.PAYLOAD - verifier.summedLength()
                    - WireLimits.FRAME_HEADER_BYTES);
        } else if (verifier.bodyLength() == 0) {
            finish();
        }
    }

    private void takeBody(ByteBuf in) throws WireException {
        int length = verifier.bodyLength();
        if (slot != null) {
            if (fill(in, slot.view(), slot.bodyAt(), length)) {
                finishBatch();
            }
        } else {
            makeRoom(Math.min(length, filled + in.readableBytes()));
            if (fill(in, body, 0, length)) {
                finish();
            }
        }
    }

    private void finishBatch() throws WireException {
        FrameSlots.Slot full = slot;
        slot = null;
        filled = 0;
        part = Part.HEADER;
        verifier.body(full.view(), full.bodyAt());
        batches.arrived(full, verifier);
    }

    private void makeRoom(int bytes) {
        if (bytes > body.capacity()) {
            int size = Math.min(Math.max(bytes, 2 * body.capacity()), verifier.bodyLength());
            receiver.grows(size - body.capacity());
            body = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN)
                    .put(0, body, 0, filled);
        }
    }

    private void finish() throws WireException {
        part = Part.HEADER;
        verifier.body(body, 0);
        if (verifier.type() != null) {
            ByteBuffer exact = body.limit(verifier.bodyLength()).position(0);
            Message message = MessageCodec.decode(verifier.type(), exact);
            body.clear();
            deliver(message);
        }
        if (body.capacity() > USUAL_BODY) {
            body = ByteBuffer.allocate(USUAL_BODY).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    private boolean deliver(Message message) throws WireException {
        held = null;
        if (!receiver.message(message)) {
            held = message;
        }
        return held == null;
    }

    /** Copies towards a part of {@code length} bytes; true once it is whole. */
    private boolean fill(ByteBuf in, ByteBuffer to, int offset, int length) {
        int bytes = Math.min(in.readableBytes(), length - filled);
        in.readBytes(to.limit(offset + filled + bytes).position(offset + filled));
        to.clear();
        filled += bytes;
        if (filled < length) {
            return false;
        }
        filled = 0;
        return true;
    }
}
