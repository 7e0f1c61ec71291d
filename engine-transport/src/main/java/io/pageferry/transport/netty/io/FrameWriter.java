package io.pageferry.transport.netty.io;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.pageferry.core.link.Message;
import io.pageferry.transport.wire.FrameHeader;
import io.pageferry.transport.wire.MessageCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ArrayBlockingQueue;
import org.agrona.concurrent.NanoClock;

/**
 * Numbers, seals and writes the frames of one connection. Any thread may queue; the rest is the IO
 * thread's.
 */
final class FrameWriter {
    private final ArrayBlockingQueue<byte[]> queue =
            new ArrayBlockingQueue<>(FrameConnection.QUEUE);
    private final FrameHeader.Sealer sealer = new FrameHeader.Sealer();
    private final NanoClock clock;
    private Channel channel;
    private long wroteNanos;
    /** An acknowledgement that the socket did not take yet; null for none. */
    private byte[] acknowledgement;

    FrameWriter(NanoClock clock) {
        this.clock = clock;
    }

    boolean offer(byte[] frame) {
        return queue.offer(frame);
    }

    int room() {
        return queue.remainingCapacity();
    }

    void open(Channel opened) {
        channel = opened;
        wroteNanos = clock.nanoTime();
    }

    /** {@return when something was written last} */
    long wroteNanos() {
        return wroteNanos;
    }

    void writePreamble(ByteBuffer preamble) {
        channel.writeAndFlush(Unpooled.wrappedBuffer(preamble), channel.voidPromise());
    }

    /** Has the socket take what was written. */
    void flush() {
        channel.flush();
    }

    /** Writes what is queued, as far as the socket takes it. */
    void writeQueued() {
        byte[] frame;
        if (acknowledgement != null && channel.isWritable()) {
            writeAcknowledgement();
        }
        while (channel.isWritable() && (frame = queue.poll()) != null) {
            write(frame);
        }
        channel.flush();
    }

    /** Writes all that is queued, whether or not the socket takes it now. */
    void writeRest() {
        byte[] frame;
        if (acknowledgement != null) {
            writeAcknowledgement();
        }
        while ((frame = queue.poll()) != null) {
            write(frame);
        }
    }

    /**
     * Writes a message before all that are queued. Of acknowledgements the newest says all: a peer
     * that does not read them makes none wait in memory but that one.
     */
    void writeNow(Message message) {
        byte[] frame = MessageCodec.encode(message);
        if (!(message instanceof Message.Ack)) {
            write(frame);
        } else {
            acknowledgement = frame;
            if (channel.isWritable()) {
                writeAcknowledgement();
            }
        }
        channel.flush();
    }

    private void writeAcknowledgement() {
        write(acknowledgement);
        acknowledgement = null;
    }

    /** Writes a message's frame, not yet to the socket. */
    void write(byte[] frame) {
        sealer.seal(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN), 0);
        wroteNanos = clock.nanoTime();
        channel.write(Unpooled.wrappedBuffer(frame), channel.voidPromise());
    }

    /** Writes a batch from where it lies; the slot's count is raised until it is written. */
    void writeSlot(FrameSlots.Slot slot) {
        sealer.seal(slot.view(), slot.frameAt());
        int end = slot.bodyAt() + FrameHeader.bodyLength(slot.view(), slot.frameAt());
        wroteNanos = clock.nanoTime();
        ByteBuf frame = slot.bytes().setIndex(slot.frameAt(), end).retain();
        channel.writeAndFlush(frame, channel.voidPromise());
    }
}
