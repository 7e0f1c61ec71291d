package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.tls.HandshakeBytes;
import io.pageferry.transport.netty.tls.TestCa;
import io.pageferry.transport.netty.tls.TlsEngine;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Peers that speak TLS and are not Pageferry, or an older or a half one. */
@ParameterizedClass
@EnumSource(names = {"NATIVE", "JDK"})
@ExtendWith(LeakGuard.class)
class TlsStrangersTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    /** On a busy host it takes a while to open them all. */
    private static final Duration UNHURRIED = Duration.ofMinutes(10);
    private static final int PATIENCE_MILLIS = 20_000;
    private static final long DEADLINE_NANOS = 120_000_000_000L;
    private static final String NEW = "TLSv1.3";
    private static final String OLD = "TLSv1.2";
    private static final String ALPN = "pageferry/1";

    /** As many as may wait at once. */
    private static final int MOST = 256;
    private static final int FRAGMENT = 100;
    private static final int RECORDS = 163;
    private static final byte[] UNFINISHED = unfinished();

    @Parameter
    TlsEngine engine;

    @TempDir
    private Path folder;

    private final List<String> refusals = new CopyOnWriteArrayList<>();
    private TestCa ca;
    private TransportServer server;

    @BeforeEach
    void listen() throws IOException {
        Assumptions.assumeTrue(engine.isAvailable(), "BoringSSL does not load here");
        ca = new TestCa(folder);
        server = new TransportServer(options("target", "ip4:127.0.0.1"),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), refusals::add);
    }

    @AfterEach
    void close() {
        if (server != null) {
            server.close();
        }
    }

    private TransportOptions options(String name, String... names) throws IOException {
        return TransportOptions.defaults(SystemNanoClock.INSTANCE).withSecurity(new Security(
                Optional.of(new TlsOptions(ca.issue(name, names), Set.of(), engine)),
                Admission.open())).withHandshake(UNHURRIED, MOST);
    }

    /** The JDK's own TLS, with a certificate of our CA or with none. */
    private SSLContext context(boolean certified) throws Exception {
        TlsFiles.Material material = ca.issue("stranger", "ip4:127.0.0.1").read();
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("own", material.key(), new char[0],
                material.chain().toArray(X509Certificate[]::new));
        own.setCertificateEntry("ca", material.ca().getFirst());
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, new char[0]);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(own);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(certified ? keys.getKeyManagers() : new KeyManager[0],
                trust.getTrustManagers(), null);
        return context;
    }

    private static SSLParameters as(SSLParameters parameters, String version, String... alpn) {
        parameters.setProtocols(new String[] {version});
        parameters.setApplicationProtocols(alpn);
        return parameters;
    }

    private void awaitRefusal(String words) {
        long start = System.nanoTime();
        while (refusals.stream().noneMatch(line -> line.contains(words))) {
            assertTrue(System.nanoTime() - start < DEADLINE_NANOS, words + ": " + refusals);
            Thread.onSpinWait();
        }
    }

    /** The end that a stranger sees: closed, or the alert that says why. */
    private String dial(SSLContext context, String version, String... alpn) throws Exception {
        InetSocketAddress address = server.address();
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory()
                .createSocket(address.getAddress(), address.getPort())) {
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.setSSLParameters(as(socket.getSSLParameters(), version, alpn));
            socket.startHandshake();
            return socket.getInputStream().read() < 0 ? "closed" : "a byte";
        } catch (SSLException e) {
            return e.getMessage();
        }
    }

    private void assertOthersAreLetIn() throws Exception {
        try (TransportClient good = new TransportClient(options("source", "dns:source"))) {
            NettySourceLink link = good.connect(server.address(), PATIENCE);
            link.close();
        }
    }

    @Test
    void aSourceThatNamesNoProtocolIsRefused() throws Exception {
        assertEquals("closed", dial(context(true), NEW));
        awaitRefusal("does not name pageferry/1 in it (ALPN)");
        // The JDK's engine and BoringSSL both go on without one that they do not know.
        assertEquals("closed", dial(context(true), NEW, "h2"));
        assertEquals(2, refusals.size(), refusals.toString());
        assertOthersAreLetIn();
    }

    @Test
    void aSourceOfTls12IsRefused() throws Exception {
        String end = dial(context(true), OLD, ALPN);
        assertTrue(end.contains("protocol_version"), end);
        awaitRefusal("the peer speaks no TLS 1.3, and nothing older is taken");
        assertOthersAreLetIn();
    }

    @Test
    void aSourceWithoutACertificateIsRefused() throws Exception {
        String end = dial(context(false), NEW, ALPN);
        assertTrue(end.contains("certificate"), end);
        awaitRefusal("the source shows no certificate: give --tls-cert");
        assertOthersAreLetIn();
    }

    private String refusedBy(String version, String... alpn) throws Exception {
        try (SSLServerSocket other = (SSLServerSocket) context(true).getServerSocketFactory()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress());
                TransportClient client = new TransportClient(options("source", "dns:source"))) {
            SSLParameters parameters = as(other.getSSLParameters(), version, alpn);
            parameters.setNeedClientAuth(true);
            other.setSSLParameters(parameters);
            CompletableFuture<Void> ended = CompletableFuture.runAsync(() -> {
                try (Socket one = other.accept()) {
                    one.setSoTimeout(PATIENCE_MILLIS);
                    while (one.getInputStream().read() >= 0) {
                        continue;
                    }
                } catch (IOException e) {
                    // Refused by this side: what the source says of it is looked at.
                    return;
                }
            });
            String words = assertThrows(TransportException.class, () -> client.connect(
                    new InetSocketAddress("127.0.0.1", other.getLocalPort()), PATIENCE))
                    .getMessage();
            ended.get();
            return words;
        }
    }

    @Test
    void aTargetThatNamesNoProtocolIsRefused() throws Exception {
        String words = refusedBy(NEW);
        assertTrue(words.contains("does not name pageferry/1 in it (ALPN)"), words);
    }

    @Test
    void aTargetOfTls12IsRefused() throws Exception {
        String words = refusedBy(OLD, ALPN);
        assertTrue(words.contains("the peer speaks no TLS 1.3, and nothing older is taken"), words);
    }

    /** Of all of 127.0.0.0/8, which is this host: 96 may come of one address. */
    private Socket stalled(int number) throws IOException {
        Socket socket = new Socket(server.address().getAddress(), server.address().getPort(),
                InetAddress.ofLiteral("127.0.0." + (2 + number % 4)), 0);
        socket.getOutputStream().write(UNFINISHED);
        return socket;
    }

    /** A ClientHello that is never whole, in many small records; RFC 8446 §4.1.2, §5.1. */
    private static byte[] unfinished() {
        ByteBuffer hello = ByteBuffer.allocate(RECORDS * (5 + FRAGMENT));
        for (int i = 0; i < RECORDS; i++) {
            hello.put((byte) 0x16).putShort((short) 0x0301).putShort((short) FRAGMENT);
            int next = hello.position() + FRAGMENT;
            if (i == 0) {
                hello.put((byte) 1).put((byte) 0).putShort((short) 16_384)
                        .putShort((short) 0x0303);
            }
            hello.position(next);
        }
        return hello.array();
    }

    /** A handshake is counted from its first byte: all that stall have 4 MiB together. */
    @Test
    void handshakesThatStallShareTheirMemory() throws Exception {
        long fit = PendingConnections.MOST_BYTES / (HandshakeBytes.ENGINE + UNFINISHED.length);
        List<Socket> all = new ArrayList<>();
        try {
            for (int i = 0; i < MOST; i++) {
                all.add(stalled(i));
            }
            long start = System.nanoTime();
            while (refusals.size() < MOST - fit) {
                assertTrue(System.nanoTime() - start < DEADLINE_NANOS, refusals::toString);
                Thread.onSpinWait();
            }
            for (String line : refusals) {
                assertTrue(line.contains("another connection needed its memory"), line);
            }
            assertOthersAreLetIn();
        } finally {
            for (Socket one : all) {
                one.close();
            }
        }
    }
}
