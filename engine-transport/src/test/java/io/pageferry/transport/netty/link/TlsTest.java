package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.tls.TestCa;
import io.pageferry.transport.netty.tls.TlsEngine;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;

/** Who is let in and who is not, with each engine at either end. */
@ParameterizedClass
@CsvSource({"NATIVE,NATIVE", "JDK,JDK", "NATIVE,JDK", "JDK,NATIVE"})
@ExtendWith(LeakGuard.class)
class TlsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @Parameter(0)
    TlsEngine atTarget;

    @Parameter(1)
    TlsEngine atSource;

    @TempDir
    private Path folder;

    private TestCa ca;
    private LinkRig rig;

    @BeforeEach
    void makeCa() throws IOException {
        Assumptions.assumeTrue(atTarget.isAvailable() && atSource.isAvailable(),
                "BoringSSL does not load here");
        ca = new TestCa(folder.resolve("ca"));
    }

    @AfterEach
    void close() {
        if (rig != null) {
            rig.close();
        }
    }

    private static TransportOptions plain() {
        return TransportOptions.defaults(SystemNanoClock.INSTANCE);
    }

    private static TransportOptions tls(TlsFiles files, TlsEngine engine, String... allowed) {
        return plain().withSecurity(new Security(Optional.of(
                new TlsOptions(files, Set.of(allowed), engine)), Admission.open()));
    }

    private TransportOptions target(String... allowed) throws IOException {
        return tls(ca.issue("target", "ip4:127.0.0.1"), atTarget, allowed);
    }

    private TransportOptions source(String... names) throws IOException {
        return tls(ca.issue("source", names), atSource);
    }

    private void begin(TransportOptions ofTarget, TransportOptions ofSource) throws Exception {
        rig = new LinkRig(ofTarget, ofSource);
    }

    private String refused() {
        TransportException e = assertThrows(TransportException.class,
                () -> rig.client.connect(rig.server.address(), PATIENCE));
        return e.getMessage();
    }

    private void assertRefused(String atSourceWords, String atTargetWords) {
        String words = refused();
        assertTrue(words.contains(atSourceWords), words);
        awaitRefusal(atTargetWords);
    }

    private void awaitRefusal(String words) {
        rig.await("a refusal that says " + words,
                () -> rig.refusals.stream().anyMatch(line -> line.contains(words)));
    }

    /** The target goes on listening and takes the next good peer. */
    private void assertOthersAreLetIn() throws Exception {
        try (TransportClient other = new TransportClient(source("dns:source"))) {
            rig.source = other.connect(rig.server.address(), PATIENCE);
            rig.source.send(LinkRig.hello());
            rig.openTarget();
            rig.source.close();
            rig.source = null;
        }
    }

    @Test
    void bothSidesOfOneCaMeet() throws Exception {
        begin(target(), source("dns:source"));
        rig.open(rig.server.address(), 2);
        rig.movePage(1);
        String who = rig.target.peerIdentity().orElseThrow();
        assertEquals("CN=source (DNS:source)", who);
    }

    @Test
    void aSourceOfAnotherCaIsRefused() throws Exception {
        TlsFiles foreign = new TestCa(folder.resolve("other")).issue("source", "dns:source");
        TlsFiles mixed = new TlsFiles(foreign.certificate(), foreign.key(),
                ca.issue("any", "dns:any").ca());
        begin(target(), tls(mixed, atSource));
        assertRefused("does not accept the certificate of this side",
                "the source's certificate is not signed by a CA of --tls-ca");
        assertOthersAreLetIn();
    }

    @Test
    void aTargetOfAnotherCaIsRefused() throws Exception {
        TlsFiles foreign = new TestCa(folder.resolve("other")).issue("source", "dns:source");
        begin(target(), tls(foreign, atSource));
        assertRefused("the target's certificate is not signed by a CA of --tls-ca",
                "does not accept the certificate of this side");
        assertOthersAreLetIn();
    }

    @Test
    void aTargetOfAnotherNameIsRefused() throws Exception {
        begin(tls(ca.issue("target", "dns:elsewhere", "ip4:10.0.0.9"), atTarget),
                source("dns:source"));
        assertRefused("is for another host", "does not accept the certificate");
    }

    @Test
    void aSourceMayAllowFewerTargetsThanItsCa() throws Exception {
        TlsFiles files = ca.issue("source", "dns:source");
        begin(target(), tls(files, atSource, "host.b"));
        assertTrue(refused().contains("which --allow-peer does not name"));
        assertOthersAreLetIn();
    }

    @Test
    void expiredCertificatesAreRefused() throws Exception {
        begin(target(), tls(ca.issueExpired("source", "dns:source"), atSource));
        assertRefused("does not accept the certificate", "has expired");
        assertOthersAreLetIn();
    }

    @Test
    void aSourceWithoutANameIsRefused() throws Exception {
        begin(target(), source());
        refused();
        awaitRefusal("names no host");
        assertOthersAreLetIn();
    }

    @Test
    void onlyAllowedNamesAreLetIn() throws Exception {
        begin(target("spiffe://cluster/a", "host.b"), source("dns:host.a", "dns:x.host.b"));
        assertToldInThePreamble("host.a, x.host.b is not let in here");
        for (String name : List.of("uri:spiffe://cluster/a", "dns:host.b")) {
            try (TransportClient other = new TransportClient(source(name))) {
                rig.source = other.connect(rig.server.address(), PATIENCE);
                rig.source.send(LinkRig.hello());
                rig.openTarget();
                rig.source.close();
                rig.target.close();
                rig.target = null;
                rig.atTarget.messages.clear();
            }
        }
        rig.source = null;
    }

    private void assertToldInThePreamble(String words) throws Exception {
        rig.source = rig.client.connect(rig.server.address(), PATIENCE);
        rig.source.send(LinkRig.hello());
        rig.await("the refusal", () -> rig.atSource.loss != null);
        assertEquals(1, rig.atSource.messages.size(), rig.atSource.reason);
        Message.Failure failure = assertInstanceOf(Message.Failure.class,
                rig.atSource.messages.getFirst());
        assertEquals(ErrorCode.PROTOCOL_VIOLATION, failure.code());
        assertTrue(failure.reason().contains(words), failure.reason());
        awaitRefusal(words);
        rig.source.close();
        rig.source = null;
    }

    @Test
    void aPlainSourceIsTold() throws Exception {
        begin(target(), plain());
        assertToldInThePreamble("the target expects TLS: give --tls-cert");
        assertOthersAreLetIn();
    }

    @Test
    void aPlainTargetIsNamed() throws Exception {
        begin(plain(), source("dns:source"));
        assertRefused("the target does not speak TLS", "the peer speaks it and this side does not");
    }

    @Test
    void filesAreReadAgainForTheNextConnection() throws Exception {
        TlsFiles files = ca.issue("target", "ip4:127.0.0.1");
        begin(tls(files, atTarget), source("dns:source"));
        rig.open(rig.server.address(), 1);
        rig.movePage(1);
        ca.issue("target", "dns:elsewhere");
        assertTrue(refused().contains("is for another host"));
        rig.movePage(2);
        Files.writeString(files.certificate(), "no PEM");
        assertTrue(refused().contains("is for another host"));
        String notice = rig.server.pollNotice().orElseThrow();
        assertTrue(notice.contains("target.crt has no certificate in PEM"), notice);
        assertEquals(Optional.empty(), rig.server.pollNotice());
        ca.issue("target", "ip4:127.0.0.1");
        rig.client.connect(rig.server.address(), PATIENCE).close();
        rig.movePage(3);
    }

    @Test
    void filesThatAreGoneAtTheBeginningAreNamed() throws Exception {
        TlsFiles files = ca.issue("source", "dns:source");
        begin(target(), tls(files, atSource));
        Files.delete(files.key());
        assertTrue(refused().contains("source.key: there is no such file"));
    }

    @Test
    void aChannelIsAttachedByWhoOpenedTheSessionAlone() throws Exception {
        begin(target(), source("dns:source"));
        rig.source = rig.client.connect(rig.server.address(), PATIENCE);
        rig.source.send(LinkRig.hello());
        rig.openTarget();
        Message.Welcome welcome = rig.accept(1);
        TlsFiles files = ca.issue("another", "dns:another");
        try (TransportClient thief = new TransportClient(tls(files, atSource))) {
            LinkRig.Ear ear = new LinkRig.Ear();
            NettySourceLink link = thief.connect(rig.server.address(), PATIENCE);
            link.openChannels(welcome);
            rig.await("the refusal", () -> link.poll(ear) >= 0 && ear.loss != null);
            assertTrue(ear.reason.contains("its session belongs to another peer"), ear.reason);
            link.close();
        }
        // Renewed meanwhile, and with another key: it is the same peer.
        ca.issue("source", "dns:source");
        rig.await("WELCOME", () -> !rig.atSource.messages.isEmpty());
        rig.source.openChannels(welcome);
        rig.await("the channels", rig.source::channelsReady);
        rig.movePage(1);
    }

    @Test
    void whoSaysNothingIsSentAway() throws Exception {
        begin(target().withHandshake(Duration.ofMillis(200), 2), source("dns:source"));
        InetSocketAddress address = rig.server.address();
        try (RawPeer silent = new RawPeer(address);
                RawPeer half = new RawPeer(address).write(new byte[] {0x16, 3, 1, 0, 5})) {
            assertEquals(0, silent.drain());
            half.drain();
        }
        rig.await("both ends", () -> rig.refusals.size() == 2);
    }

    @Test
    void garbageIsRefused() throws Exception {
        begin(target(), source("dns:source"));
        try (RawPeer peer = new RawPeer(rig.server.address()).write("GET /".getBytes())) {
            assertEquals(0, peer.drain());
        }
        awaitRefusal("not Pageferry");
        assertOthersAreLetIn();
    }
}
