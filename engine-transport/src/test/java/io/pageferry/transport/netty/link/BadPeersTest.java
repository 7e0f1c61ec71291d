package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.io.FrameConnection;
import io.pageferry.transport.wire.PageBatchWriter;
import io.pageferry.transport.wire.WireException;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Sources that break the rules of a session, and networks that damage or swallow it. */
@ExtendWith(LeakGuard.class)
class BadPeersTest {
    private static final int RACES = 20;

    private LinkRig rig;

    @AfterEach
    void close() {
        rig.close();
    }

    private static byte[] batch(long generation, long sequence) {
        PageBatch batch = new PageBatch(Arena.ofAuto().allocate(PageBatch.PAYLOAD_CAPACITY));
        batch.begin(0, 0);
        batch.append(sequence, 1, 0, PageChecksum.OF_ZEROS);
        batch.stamp(generation, 0, sequence);
        ByteBuffer frame = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
        int end = frame.capacity();
        return Arrays.copyOfRange(frame.array(), PageBatchWriter.write(batch, frame, end), end);
    }

    /** A session whose source is a raw peer; gives its data connection. */
    private RawPeer rawSession(RawPeer control) throws Exception {
        control.greet().send(LinkRig.hello());
        rig.openTarget();
        rig.accept(1);
        assertInstanceOf(Message.Welcome.class, control.read());
        RawPeer data = new RawPeer(rig.server.address()).greet()
                .send(new Message.ChannelHello(LinkRig.TOKEN, 2, 0));
        assertEquals(new Message.ChannelReady(2, 0), data.read());
        return data;
    }

    private void assertEnds(RawPeer data, String field) throws Exception {
        Message last = data.read();
        while (last instanceof Message.Ack) {
            last = data.read();
        }
        assertTrue(((Message.Failure) last).reason().startsWith(field), last.toString());
        assertNull(data.read());
        rig.await("the loss", () -> rig.atTarget.loss != null);
        assertEquals(ErrorCode.PROTOCOL_VIOLATION, rig.atTarget.loss);
        assertTrue(rig.atTarget.reason.startsWith(field), rig.atTarget.reason);
    }

    @Test
    void aBatchBeyondTheCreditEndsTheLink() throws Exception {
        rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE));
        try (RawPeer control = new RawPeer(rig.server.address());
                RawPeer data = rawSession(control)) {
            for (int i = 1; i <= LinkRig.WINDOW + 1; i++) {
                data.sendFrame(batch(2, i));
            }
            assertEnds(data, "batch sequence");
            assertEquals(LinkRig.WINDOW, rig.atTarget.batches.size());
        }
    }

    @Test
    void aBatchOfAnOldGenerationEndsTheLink() throws Exception {
        rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE));
        try (RawPeer control = new RawPeer(rig.server.address());
                RawPeer data = rawSession(control)) {
            data.sendFrame(batch(1, 1));
            assertEnds(data, "batch generation");
        }
    }

    @Test
    void aSequenceGapEndsTheLink() throws Exception {
        rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE));
        try (RawPeer control = new RawPeer(rig.server.address());
                RawPeer data = rawSession(control)) {
            data.sendFrame(batch(2, 1)).sendFrame(batch(2, 3));
            assertEnds(data, "batch sequence");
            assertEquals(1, rig.atTarget.batches.size());
        }
    }

    @Test
    void aBatchOnTheControlConnectionEndsTheLink() throws Exception {
        rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE));
        try (RawPeer control = new RawPeer(rig.server.address());
                RawPeer data = rawSession(control)) {
            control.sendFrame(batch(2, 1));
            Message.Failure failure = assertInstanceOf(Message.Failure.class, control.read());
            assertEquals(ErrorCode.PROTOCOL_VIOLATION, failure.code());
            assertEquals("frame type: BATCH does not belong on this connection"
                    + " (CONTROL, READY)", failure.reason());
            rig.await("the loss", () -> rig.atTarget.loss != null);
            assertNull(data.read());
        }
    }

    @Test
    void anAcknowledgementOfWhatWasNotSentEndsTheLink() throws Exception {
        assertRefusesOnAChannel("ack applied",
                new Message.ChannelReady(2, 0), new Message.Ack(2, 0, 1, 5, 0));
    }

    @Test
    void anAcknowledgementThatSaysWhatNobodyAskedForEndsTheLink() throws Exception {
        assertRefusesOnAChannel("ack waiting",
                new Message.ChannelReady(2, 0), new Message.Ack(2, 0, 0, 5, 1));
    }

    @Test
    void anAcknowledgementBeforeTheChannelIsReadyEndsTheLink() throws Exception {
        assertRefusesOnAChannel("frame type: ACK does not belong on this connection"
                + " (UNDECIDED, READY)", new Message.Ack(2, 0, 0, 5, 0));
    }

    @Test
    void aChannelIsReadyOnce() throws Exception {
        assertRefusesOnAChannel("frame type: CHANNEL_READY does not belong on this connection"
                + " (PAGES, READY)", new Message.ChannelReady(2, 0),
                new Message.ChannelReady(2, 0));
    }

    private void assertRefusesOnAChannel(String reason, Message... messages) throws Exception {
        rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE));
        try (ServerSocket listener = new ServerSocket(0, 2, InetAddress.getLoopbackAddress())) {
            CompletableFuture<Message> answer = new CompletableFuture<>();
            Thread.ofVirtual().start(() -> lyingTarget(listener, answer, messages));
            rig.source = rig.client.connect(
                    (InetSocketAddress) listener.getLocalSocketAddress(), Duration.ofSeconds(10));
            rig.source.openChannels(new Message.Welcome(LinkRig.TOKEN, 2, 0, 1, 4));
            rig.await("the loss", () -> rig.atSource.loss != null);
            assertEquals(ErrorCode.PROTOCOL_VIOLATION, rig.atSource.loss);
            assertTrue(rig.atSource.reason.startsWith(reason), rig.atSource.reason);
            assertInstanceOf(Message.Failure.class, answer.get(20, TimeUnit.SECONDS));
        }
    }

    /** It was on its way, and an IO thread is in the middle of it while the debt is taken back. */
    @Test
    void anAcknowledgementThatComesTooLateChangesNothing() throws Exception {
        for (int i = 0; i < RACES; i++) {
            rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE));
            rig.open(rig.server.address(), Message.MAX_CHANNELS);
            for (int channel = 0; channel < Message.MAX_CHANNELS; channel++) {
                rig.sendPage(channel);
            }
            List<FrameConnection> connections = List.copyOf(rig.source.data);
            CountDownLatch begun = new CountDownLatch(1);
            CompletableFuture<Void> late = CompletableFuture.runAsync(() -> {
                begun.countDown();
                for (int channel = 0; channel < connections.size(); channel++) {
                    acknowledge(connections.get(channel), channel);
                }
            });
            begun.await();
            rig.source.close();
            rig.source.pages().reclaim(page -> { });
            late.join();
            assertEquals(0, rig.source.pages().unacknowledged());
            rig.close();
        }
    }

    private void acknowledge(FrameConnection connection, int channel) {
        try {
            rig.source.dataMessage(connection, new Message.Ack(2, channel, 0, 5, 0));
        } catch (WireException e) {
            // Where the debt was taken back before, this one says less than is known.
            assertTrue(e.getMessage().startsWith("ack applied"), e.getMessage());
        }
    }

    private static void lyingTarget(ServerSocket listener, CompletableFuture<Message> answer,
            Message... messages) {
        try (RawPeer control = new RawPeer(listener.accept())) {
            control.greet();
            try (RawPeer data = new RawPeer(listener.accept())) {
                data.greet().read();
                for (Message message : messages) {
                    data.send(message);
                }
                answer.complete(data.read());
            }
        } catch (Exception e) {
            answer.completeExceptionally(e);
        }
    }

    @Test
    void oneTurnedBitOnTheWayIsRefusedAndItsPagesAreOwedAgain() throws Exception {
        rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE));
        try (Relay relay = new Relay(rig.server.address())) {
            // Preamble, CHANNEL_HELLO, then the checksum in the directory of the first batch.
            relay.flip(1, 16 + 64 + 72 + 8);
            rig.open(relay.address(), 1);
            rig.sendPage(77);
            rig.await("both losses",
                    () -> rig.atSource.loss != null && rig.atTarget.loss != null);
            assertTrue(relay.hasFlipped());
            assertEquals(ErrorCode.CORRUPT_FRAME, rig.atTarget.loss);
            assertEquals(ErrorCode.CORRUPT_FRAME, rig.atSource.loss);
            assertTrue(rig.atTarget.batches.isEmpty());
            List<Long> owed = new ArrayList<>();
            rig.source.pages().reclaim(owed::add);
            assertEquals(List.of(77L), owed);
        }
    }

    /** Whoever reads the page back sees it, and owes it: the link goes on. */
    @Test
    void oneTurnedBitOfAPageCostsNoLink() throws Exception {
        rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE));
        try (Relay relay = new Relay(rig.server.address())) {
            relay.flip(1, 16 + 64 + 72 + 16 + 100);
            rig.open(relay.address(), 1);
            rig.sendPage(77);
            rig.await("the batch", () -> rig.atTarget.batches.size() == 1);
            assertTrue(relay.hasFlipped());
            assertNull(rig.atTarget.loss);
        }
    }
}
