package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.SharedSecret;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.wire.Preamble;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Who knows the secret is let in, and nobody else; the secret is never told to anybody. */
@ExtendWith(LeakGuard.class)
class SecretTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final SharedSecret SECRET = secret("correct horse battery staple");
    private static final SharedSecret OTHER = secret("correct horse battery stapler");

    private LinkRig rig;

    @AfterEach
    void close() {
        if (rig != null) {
            rig.close();
        }
    }

    private static SharedSecret secret(String text) {
        return new SharedSecret(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static TransportOptions knowing(SharedSecret secret) {
        return TransportOptions.defaults(SystemNanoClock.INSTANCE).withSecurity(new Security(
                Optional.empty(), Optional.ofNullable(secret), Admission.open()));
    }

    private void begin(SharedSecret target, SharedSecret source) throws Exception {
        rig = new LinkRig(knowing(target), knowing(source));
    }

    private void awaitRefusal(String words) {
        rig.await("a refusal that says " + words,
                () -> rig.refusals.stream().anyMatch(line -> line.contains(words)));
    }

    private String refused() {
        return assertThrows(TransportException.class,
                () -> rig.client.connect(rig.server.address(), PATIENCE)).getMessage();
    }

    /** The target goes on listening and takes the next good peer. */
    private void assertOthersAreLetIn() throws Exception {
        try (TransportClient good = new TransportClient(knowing(SECRET))) {
            rig.source = good.connect(rig.server.address(), PATIENCE);
            rig.source.send(LinkRig.hello());
            rig.openTarget();
            rig.source.close();
            rig.source = null;
        }
    }

    private RawPeer raw() throws Exception {
        return new RawPeer(rig.server.address()).greet();
    }

    private static byte[] challenge(RawPeer peer) throws Exception {
        return assertInstanceOf(Message.Challenge.class, peer.read()).bytes();
    }

    private static void assertFailed(RawPeer peer, String words) throws Exception {
        Message.Failure no = assertInstanceOf(Message.Failure.class, peer.read());
        assertEquals(ErrorCode.PROTOCOL_VIOLATION, no.code());
        assertTrue(no.reason().contains(words), no.reason());
        assertNull(peer.read());
    }

    @Test
    void whoKnowsItIsLetInWithAllChannels() throws Exception {
        begin(SECRET, SECRET);
        rig.open(rig.server.address(), 3);
        rig.movePage(1);
        assertEquals(Optional.empty(), rig.target.peerIdentity());
        assertTrue(rig.refusals.isEmpty(), rig.refusals.toString());
    }

    /** What is sent before the peer has proved anything waits, and does not get lost. */
    @Test
    void aDialledLinkSendsOnceBothHaveProved() throws Exception {
        begin(SECRET, SECRET);
        rig.source = rig.client.dial(rig.server.address());
        rig.source.send(LinkRig.hello());
        rig.openTarget();
        assertInstanceOf(Message.Hello.class, rig.atTarget.messages.getFirst());
    }

    @Test
    void anotherSecretIsRefused() throws Exception {
        begin(SECRET, OTHER);
        assertTrue(refused().contains("the two sides have different secrets"));
        awaitRefusal("the two sides have different secrets");
        assertOthersAreLetIn();
    }

    @Test
    void aSourceWithoutOneIsRefused() throws Exception {
        begin(SECRET, null);
        rig.source = rig.client.connect(rig.server.address(), PATIENCE);
        rig.source.send(LinkRig.hello());
        rig.await("the refusal", () -> rig.atSource.loss != null);
        assertTrue(rig.atSource.reason.contains("--token-file"), rig.atSource.reason);
        awaitRefusal("--token-file");
        assertTrue(rig.atTarget.messages.isEmpty());
        rig.source.close();
        rig.source = null;
        assertOthersAreLetIn();
    }

    /** One of an earlier version skips CHALLENGE, as what it does not know. */
    @Test
    void aSourceThatSaysHelloInsteadIsRefused() throws Exception {
        begin(SECRET, SECRET);
        try (RawPeer old = raw()) {
            challenge(old);
            old.send(LinkRig.hello());
            assertFailed(old, "the source has to prove that it knows a secret first");
        }
        awaitRefusal("the source has to prove");
        assertOthersAreLetIn();
    }

    @Test
    void aTargetWithoutOneIsNamed() throws Exception {
        begin(null, SECRET);
        String words = refused();
        assertTrue(words.contains("the peer has a secret to prove and this side has none"), words);
        awaitRefusal("the peer has a secret to prove and this side has none");
    }

    /** Whoever asks gets nothing that was made with the secret. */
    @Test
    void aTargetProvesNothingToAStranger() throws Exception {
        begin(SECRET, SECRET);
        try (RawPeer stranger = raw()) {
            byte[] theirs = challenge(stranger);
            stranger.send(new Message.Challenge(theirs));
            stranger.send(new Message.Proof(theirs));
            assertFailed(stranger, "different secrets");
        }
        try (RawPeer stranger = raw()) {
            challenge(stranger);
            stranger.send(new Message.Proof(new byte[Message.Proving.BYTES]));
            assertFailed(stranger, "the source has to prove");
        }
        assertOthersAreLetIn();
    }

    private static byte[] prove(RawPeer peer, byte[] ours) throws Exception {
        byte[] theirs = challenge(peer);
        byte[] proof = SECRET.proof(true, theirs, ours);
        peer.send(new Message.Challenge(ours)).send(new Message.Proof(proof));
        Message.Proof answer = assertInstanceOf(Message.Proof.class, peer.read());
        assertTrue(SharedSecret.same(SECRET.proof(false, theirs, ours), answer.bytes()));
        return proof;
    }

    @Test
    void aProofIsGoodOnItsOwnConnectionAndOnce() throws Exception {
        begin(SECRET, SECRET);
        byte[] ours = SharedSecret.challenge();
        byte[] proof;
        try (RawPeer peer = raw()) {
            proof = prove(peer, ours);
            peer.send(new Message.Proof(proof));
            assertFailed(peer, "PROOF does not belong on this connection");
        }
        try (RawPeer again = raw()) {
            challenge(again);
            again.send(new Message.Challenge(ours)).send(new Message.Proof(proof));
            assertFailed(again, "different secrets");
        }
        assertOthersAreLetIn();
    }

    /** The token of a session alone attaches no channel to it. */
    @Test
    void eachConnectionHasToProveIt() throws Exception {
        begin(SECRET, SECRET);
        rig.source = rig.client.connect(rig.server.address(), PATIENCE);
        rig.source.send(LinkRig.hello());
        rig.openTarget();
        Message.Welcome welcome = rig.accept(1);
        for (Message first : new Message[] {
                new Message.ChannelHello(welcome.token(), welcome.generation(), 0),
                new Message.Resume(rig.atTarget.messages.getFirst() instanceof Message.Hello hello
                        ? hello.migrationId() : null, welcome.token(), 9, 0),
                new Message.Status(new UUID(1, 2), 1)}) {
            try (RawPeer thief = raw()) {
                challenge(thief);
                thief.send(first);
                assertFailed(thief, "the source has to prove");
            }
        }
        rig.await("WELCOME", () -> !rig.atSource.messages.isEmpty());
        rig.source.openChannels(welcome);
        rig.await("the channels", rig.source::channelsReady);
        rig.movePage(1);
    }

    /** A stranger that listens in the target's place hears of no guest. */
    @Test
    void aTargetThatDoesNotKnowItIsLeft() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                TransportClient client = new TransportClient(knowing(SECRET))) {
            CompletableFuture<Message> last = CompletableFuture.supplyAsync(() -> {
                try (RawPeer impostor = new RawPeer(listener.accept())) {
                    impostor.readPreamble();
                    impostor.write(Preamble.OURS.encode().array())
                            .send(new Message.Challenge(SharedSecret.challenge()));
                    byte[] theirs = challenge(impostor);
                    assertInstanceOf(Message.Proof.class, impostor.read());
                    impostor.send(new Message.Proof(OTHER.proof(false, theirs, theirs)));
                    return impostor.read();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            TransportException e = assertThrows(TransportException.class, () -> client.connect(
                    (InetSocketAddress) listener.getLocalSocketAddress(), PATIENCE));
            assertTrue(e.getMessage().contains("different secrets"), e.getMessage());
            assertInstanceOf(Message.Failure.class, last.get());
        }
    }

    @Test
    void lengthsAreLimited() {
        for (int bytes : new int[] {0, SharedSecret.SHORTEST - 1, SharedSecret.LONGEST + 1}) {
            assertThrows(IllegalArgumentException.class,
                    () -> new SharedSecret(new byte[bytes]));
        }
        assertEquals("a secret", SECRET.toString());
        assertEquals(32, new SharedSecret(new byte[SharedSecret.LONGEST])
                .proof(true, new byte[32], new byte[32]).length);
    }
}
