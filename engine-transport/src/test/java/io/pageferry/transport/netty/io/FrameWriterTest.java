package io.pageferry.transport.netty.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.embedded.EmbeddedChannel;
import io.pageferry.core.link.Message;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.WireLimits;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a peer that does not read leaves in the memory of this side. */
class FrameWriterTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
    private final FrameWriter writer = new FrameWriter(SystemNanoClock.INSTANCE);

    @BeforeEach
    void open() {
        writer.open(channel);
    }

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    private static Message.Ack ack(long applied) {
        return new Message.Ack(1, 0, applied, applied + 16, 0);
    }

    private void assertWritten(Message message) {
        ByteBuf frame = channel.readOutbound();
        byte[] written = new byte[frame.readableBytes()];
        frame.readBytes(written);
        frame.release();
        byte[] expected = MessageCodec.encode(message);
        // The header is sealed as it is written.
        assertEquals(ByteBuffer.wrap(Arrays.copyOfRange(expected, WireLimits.FRAME_HEADER_BYTES,
                expected.length)).order(ByteOrder.LITTLE_ENDIAN), ByteBuffer.wrap(
                Arrays.copyOfRange(written, WireLimits.FRAME_HEADER_BYTES, written.length)));
    }

    @Test
    void acknowledgementsDoNotPileUp() {
        writer.writeNow(ack(1));
        assertWritten(ack(1));
        outbound.setUserDefinedWritability(1, false);
        for (int applied = 2; applied <= 100_000; applied++) {
            writer.writeNow(ack(applied));
        }
        assertFalse(channel.isWritable());
        assertNull(channel.readOutbound());
        assertEquals(0, outbound.totalPendingWriteBytes());

        outbound.setUserDefinedWritability(1, true);
        writer.writeQueued();
        assertWritten(ack(100_000));
        writer.writeQueued();
        assertNull(channel.readOutbound());
    }

    @Test
    void theLastOneGoesOutWithTheRest() {
        outbound.setUserDefinedWritability(1, false);
        writer.writeNow(ack(7));
        writer.offer(MessageCodec.encode(new Message.Heartbeat(5)));
        writer.writeRest();
        channel.flush();
        assertWritten(ack(7));
        assertWritten(new Message.Heartbeat(5));
    }
}
