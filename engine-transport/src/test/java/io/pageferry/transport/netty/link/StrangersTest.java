package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.wire.Preamble;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whoever else comes to the port, or stands where a target should; a session goes on beside. */
@ExtendWith(LeakGuard.class)
class StrangersTest {
    private static final Duration BRIEF = Duration.ofSeconds(2);

    private LinkRig rig;

    @BeforeEach
    void open() throws Exception {
        rig = new LinkRig(TransportOptions.defaults(SystemNanoClock.INSTANCE)
                .withHandshake(BRIEF, 3));
        rig.open(rig.server.address(), 1);
    }

    @AfterEach
    void close() {
        rig.movePage(1);
        rig.close();
    }

    private RawPeer peer() throws Exception {
        return new RawPeer(rig.server.address());
    }

    private void awaitRefusal(String part) {
        rig.await(part, () -> rig.refusals.stream().anyMatch(line -> line.contains(part)));
    }

    @Test
    void anHttpRequestIsRefusedWithoutAnAnswer() throws Exception {
        try (RawPeer peer = peer()) {
            peer.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertEquals(0, peer.drain());
        }
        awaitRefusal("not Pageferry");
    }

    @Test
    void aMebibyteOfNoiseIsRefused() throws Exception {
        long seed = Long.getLong("pageferry.test.seed", System.nanoTime());
        System.out.println("noise from seed " + seed);
        byte[] noise = new byte[1 << 20];
        new Random(seed).nextBytes(noise);
        noise[0] = 1;
        try (RawPeer peer = peer()) {
            try {
                peer.write(noise);
            } catch (java.io.IOException e) {
                // Refused so early that not all of it went out.
                assertNotNull(e);
            }
            assertEquals(0, peer.drain());
        }
        awaitRefusal("not Pageferry");
    }

    @Test
    void silenceAndHalfAPreambleRunIntoTheTimeLimit() throws Exception {
        try (RawPeer silent = peer(); RawPeer half = peer()) {
            half.write(Arrays.copyOf(Preamble.OURS.encode().array(), 7));
            assertEquals(0, silent.drain());
            assertEquals(0, half.drain());
        }
        rig.await("both", () -> rig.refusals.stream()
                .filter(line -> line.contains("preamble and first message")).count() == 2);
    }

    @Test
    void aPortCheckIsNotASession() throws Exception {
        peer().close();
        awaitRefusal("closed the connection");
        assertNull(rig.server.pollAccepted());
    }

    @Test
    void aDamagedPreambleIsRefused() throws Exception {
        byte[] bytes = Preamble.OURS.encode().array();
        bytes[13] ^= 1;
        try (RawPeer peer = peer()) {
            assertEquals(0, peer.write(bytes).drain());
        }
        awaitRefusal("preamble checksum");
    }

    @Test
    void anotherVersionIsToldOurs() throws Exception {
        try (RawPeer peer = peer()) {
            peer.write(new Preamble(7, 9).encode().array());
            assertEquals(Preamble.OURS, peer.readPreamble());
            assertEquals(0, peer.drain());
        }
        awaitRefusal("the peer speaks versions 7 to 9, we speak version 1");
    }

    /** The oldest of them makes way: silence keeps nobody out. */
    @Test
    void silentOnesKeepNobodyOut() throws Exception {
        List<RawPeer> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 20; i++) {
                silent.add(peer());
            }
            try (RawPeer asks = peer().greet()) {
                asks.send(new Message.Status(UUID.randomUUID(), 1));
                rig.await("the link", () -> rig.server.pollAccepted() != null);
            }
            assertEquals(0, silent.getFirst().drain());
        } finally {
            for (RawPeer one : silent) {
                one.close();
            }
        }
        awaitRefusal("a newer connection took its place");
    }

    @Test
    void aFirstMessageOfAnotherKindIsRefused() throws Exception {
        try (RawPeer peer = peer().greet()) {
            Message answer = peer.send(new Message.Grant(1, true)).read();
            Message.Failure failure = assertInstanceOf(Message.Failure.class, answer);
            assertEquals(ErrorCode.PROTOCOL_VIOLATION, failure.code());
            assertEquals("frame type: GRANT does not belong on this connection"
                    + " (UNDECIDED, READY)", failure.reason());
            assertNull(peer.read());
        }
    }

    @Test
    void channelsNeedTheTokenTheGenerationAndANumber() throws Exception {
        assertRefused(new Message.ChannelHello(UUID.randomUUID(), 2, 0), "token");
        assertRefused(new Message.ChannelHello(LinkRig.TOKEN, 1, 0), "generation");
        assertRefused(new Message.ChannelHello(LinkRig.TOKEN, 3, 0), "generation");
        assertRefused(new Message.ChannelHello(LinkRig.TOKEN, 2, 0), "channel");
        assertRefused(new Message.ChannelHello(LinkRig.TOKEN, 2, 1), "channel");
    }

    private void assertRefused(Message.ChannelHello hello, String field) throws Exception {
        try (RawPeer peer = peer().greet()) {
            Message.Failure answer = assertInstanceOf(
                    Message.Failure.class, peer.send(hello).read());
            assertEquals(ErrorCode.PROTOCOL_VIOLATION, answer.code());
            assertTrue(answer.reason().startsWith(field + ":"), answer.reason());
            assertNull(peer.read());
        }
    }

    @Test
    void aQuestionForStatusIsALinkOfItsOwn() throws Exception {
        Message.Status status = new Message.Status(UUID.randomUUID(), 4);
        try (RawPeer peer = peer().greet().send(status)) {
            NettyTargetLink[] link = new NettyTargetLink[1];
            rig.await("the link", () ->
                    (link[0] = (NettyTargetLink) rig.server.pollAccepted()) != null);
            LinkRig.Ear ear = new LinkRig.Ear();
            rig.await("the question", () -> link[0].poll(ear) > 0);
            assertEquals(status, ear.messages.getFirst());
            assertTrue(link[0].send(new Message.StatusUnknown(4, "nothing")));
            assertEquals(new Message.StatusUnknown(4, "nothing"), peer.read());
            link[0].close();
            assertNull(peer.read());
        }
    }

    /** Offers that nobody polls push each other out, the oldest first. */
    @Test
    void theNewestOfferIsThere() throws Exception {
        RawPeer[] peers = new RawPeer[5];
        try {
            for (int i = 0; i < peers.length; i++) {
                peers[i] = peer().greet().send(LinkRig.hello());
            }
            assertNull(peers[0].read());
            rig.await("a link that is up", () -> {
                TargetLink link = rig.server.pollAccepted();
                return link != null && link.isUp();
            });
        } finally {
            for (RawPeer peer : peers) {
                peer.close();
            }
        }
    }

    // --- what a source may find where it looked for a target

    @Test
    void everyWayNotToReachATargetHasItsWords() throws Exception {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, loopback)) {
            free = socket.getLocalPort();
            // Nobody accepts: the kernel does, and nothing comes.
            failure(new InetSocketAddress(loopback, free), ErrorCode.LINK_LOST, "within 2000 ms");
        }
        failure(new InetSocketAddress(loopback, free), ErrorCode.LINK_LOST, "refused");
        failure(InetSocketAddress.createUnresolved("no-such-host.invalid", 1),
                ErrorCode.LINK_LOST, "unknown host");
    }

    @Test
    void aServerOfAnotherKindOrVersionIsNamed() throws Exception {
        answering("HTTP/1.1 400 Bad Request\r\n".getBytes(StandardCharsets.US_ASCII),
                ErrorCode.PROTOCOL_VIOLATION, "not Pageferry");
        answering(new Preamble(3, 4).encode().array(), ErrorCode.VERSION_MISMATCH,
                "the peer speaks versions 3 to 4, we speak version 1");
        answering(new byte[0], ErrorCode.LINK_LOST, "closed the connection");
    }

    private void answering(byte[] answer, ErrorCode code, String words) throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                try (RawPeer peer = new RawPeer(socket.accept())) {
                    peer.readPreamble();
                    peer.write(answer);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            failure((InetSocketAddress) socket.getLocalSocketAddress(), code, words);
        }
    }

    private void failure(InetSocketAddress address, ErrorCode code, String words) {
        TransportException e = assertThrows(TransportException.class,
                () -> rig.client.connect(address, BRIEF), words);
        assertEquals(code, e.code(), e.getMessage());
        assertTrue(e.getMessage().contains(words), e.getMessage());
    }

    @Test
    void aPortInUseIsSaidSo() {
        TransportException e = assertThrows(TransportException.class, () -> new TransportServer(
                TransportOptions.defaults(SystemNanoClock.INSTANCE), rig.server.address(),
                line -> { }));
        assertEquals(ErrorCode.HOST_FAILED, e.code());
        assertTrue(e.getMessage().contains("cannot listen on"), e.getMessage());
    }
}
