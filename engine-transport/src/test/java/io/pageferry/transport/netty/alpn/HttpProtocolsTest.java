package io.pageferry.transport.netty.alpn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.transport.http.EventSink;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.http.HttpLimits;
import io.pageferry.transport.netty.http.HttpService;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.link.TransportServer;
import io.pageferry.transport.netty.tls.TestCa;
import io.pageferry.transport.netty.tls.TlsEngine;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** One port: pages, the API and joins, told apart by what a peer names in the handshake. */
@ParameterizedClass
@EnumSource(names = {"NATIVE", "JDK"})
class HttpProtocolsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int PATIENCE_MILLIS = 60_000;

    @Parameter
    TlsEngine engine;

    @TempDir
    private Path folder;

    private final ExecutorService pool = Executors.newFixedThreadPool(2);
    private final BlockingQueue<HttpCall> calls = new LinkedBlockingQueue<>();
    private final BlockingQueue<EventSink> sinks = new LinkedBlockingQueue<>();
    private final List<String> refusals = new CopyOnWriteArrayList<>();
    private final List<Throwable> bugs = new CopyOnWriteArrayList<>();
    private TestCa ca;
    private HttpProtocols protocols;
    private TransportServer server;

    @BeforeEach
    void makeCa() throws IOException {
        Assumptions.assumeTrue(engine.isAvailable(), "BoringSSL does not load here");
        ca = new TestCa(folder);
    }

    private void listen(Set<String> allowed, boolean joins) throws IOException {
        HttpService service = new HttpService(this::answer, pool, any -> true, bugs::add);
        protocols = new HttpProtocols(service, allowed,
                joins ? Optional.of(service) : Optional.empty());
        server = new TransportServer(options("target", allowed, "ip4:127.0.0.1"),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), refusals::add,
                protocols);
    }

    @AfterEach
    void close() {
        if (server != null) {
            server.close();
            protocols.close();
        }
        pool.shutdownNow();
        assertEquals(List.of(), bugs);
    }

    private TransportOptions options(String name, Set<String> allowed, String... names)
            throws IOException {
        return TransportOptions.defaults(SystemNanoClock.INSTANCE).withSecurity(new Security(
                Optional.of(new TlsOptions(ca.issue(name, names), allowed, engine)),
                Admission.open()));
    }

    private HttpAnswer answer(HttpCall call) {
        calls.add(call);
        return call.path().equals("/events") ? new HttpAnswer.Events(sinks::add)
                : new HttpAnswer.Whole(200, "text/plain", Map.of(), call.body());
    }

    /** The JDK's own TLS, with a certificate of our CA for a name, or with none. */
    private SSLContext context(String name) throws Exception {
        TlsFiles.Material material = ca.issue(name.isEmpty() ? "none" : name, "dns:" + name
                + "x").read();
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
        context.init(name.isEmpty() ? new KeyManager[0] : keys.getKeyManagers(),
                trust.getTrustManagers(), null);
        return context;
    }

    private URI uri(String path) {
        return URI.create("https://127.0.0.1:" + server.address().getPort() + path);
    }

    private HttpResponse<String> post(HttpClient client, String path, String body)
            throws Exception {
        return client.send(HttpRequest.newBuilder(uri(path)).timeout(PATIENCE)
                .POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
    }

    private void assertPagesAreTaken() throws IOException {
        try (TransportClient source = new TransportClient(
                options("source", Set.of(), "dns:sourcex"))) {
            source.connect(server.address(), PATIENCE).close();
        }
    }

    @Test
    void aPeerWithACertificateAsksTheApi() throws Exception {
        listen(Set.of(), false);
        String large = "x".repeat(100_000);
        try (HttpClient client = HttpClient.newBuilder().sslContext(context("a")).build()) {
            for (String body : List.of("first", large, "")) {
                HttpResponse<String> answer = post(client, "/echo?a=b", body);
                assertEquals(200, answer.statusCode());
                assertEquals(body, answer.body());
                assertEquals(HttpClient.Version.HTTP_1_1, answer.version());
                HttpCall call = calls.take();
                assertEquals("CN=a (DNS:ax)", call.caller().name());
                assertEquals(-1, call.caller().user());
                assertEquals("b", call.query().get("a"));
            }
        }
        assertPagesAreTaken();
    }

    @Test
    void eventsGoToAPeerUntilItLeaves() throws Exception {
        listen(Set.of(), false);
        CountDownLatch left = new CountDownLatch(1);
        try (HttpClient client = HttpClient.newBuilder().sslContext(context("a")).build()) {
            HttpResponse<InputStream> answer = client.send(
                    HttpRequest.newBuilder(uri("/events")).build(), BodyHandlers.ofInputStream());
            EventSink sink = sinks.take();
            sink.onClose(left::countDown);
            BufferedReader lines = new BufferedReader(new InputStreamReader(answer.body(),
                    StandardCharsets.UTF_8));
            for (int i = 0; i < 100; i++) {
                assertTrue(sink.send("" + i, "round", "{\"n\":" + i + "}"));
                assertEquals("id: " + i, lines.readLine());
                assertEquals("event: round", lines.readLine());
                assertEquals("data: {\"n\":" + i + "}", lines.readLine());
                assertEquals("", lines.readLine());
            }
            answer.body().close();
        }
        assertTrue(left.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }

    @Test
    void whoIsNotListedIsToldSo() throws Exception {
        listen(Set.of("ax", "sourcex"), false);
        try (HttpClient client = HttpClient.newBuilder().sslContext(context("b")).build()) {
            HttpResponse<String> answer = post(client, "/x", "");
            assertEquals(403, answer.statusCode());
            assertTrue(answer.body().contains("--allow-peer"), answer.body());
        }
        try (HttpClient client = HttpClient.newBuilder().sslContext(context("a")).build()) {
            assertEquals(200, post(client, "/x", "").statusCode());
        }
        assertEquals(1, calls.size());
    }

    @Test
    void whoHasNoCertificateAsksNothing() throws Exception {
        for (boolean joins : List.of(false, true)) {
            listen(Set.of(), joins);
            try (HttpClient client = HttpClient.newBuilder().sslContext(context("")).build()) {
                assertThrows(IOException.class, () -> post(client, "/x", ""), "joins: " + joins);
            }
            assertPagesAreTaken();
            server.close();
            protocols.close();
        }
        assertTrue(refusals.stream().anyMatch(line -> line.contains("shows no certificate")),
                refusals::toString);
        assertEquals(0, calls.size());
    }

    private SSLSocket joining(SSLContext context) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(
                server.address().getAddress(), server.address().getPort());
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {HttpProtocols.JOIN});
        socket.setSSLParameters(parameters);
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.startHandshake();
        return socket;
    }

    private static String ask(SSLSocket socket) throws IOException {
        socket.getOutputStream().write("GET /join HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII));
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                .lines().findFirst().orElse("closed");
    }

    @Test
    void aHostThatJoinsNeedsNoneAndSeesTheCa() throws Exception {
        listen(Set.of("ax"), true);
        try (SSLSocket socket = joining(context(""))) {
            assertEquals(HttpProtocols.JOIN, socket.getApplicationProtocol());
            assertEquals(2, socket.getSession().getPeerCertificates().length);
            assertEquals("HTTP/1.1 200 OK", ask(socket));
        }
        HttpCall stranger = calls.take();
        assertEquals("", stranger.caller().name());
        assertEquals(Optional.empty(), stranger.caller().serial());
        X509Certificate own;
        try (SSLSocket socket = joining(context("b"))) {
            assertEquals("HTTP/1.1 200 OK", ask(socket));
            own = (X509Certificate) socket.getSession().getLocalCertificates()[0];
        }
        HttpCall host = calls.take();
        assertEquals("CN=b (DNS:bx)", host.caller().name());
        assertEquals(Optional.of(own.getSerialNumber()), host.caller().serial());
    }

    /** Of strangers few are here at once: the oldest that asks nothing makes way. */
    @Test
    void strangersKeepNobodyFromJoining() throws Exception {
        listen(Set.of(), true);
        SSLContext context = context("");
        List<SSLSocket> silent = new ArrayList<>();
        long began = System.nanoTime();
        try {
            for (int i = 0; i <= HttpProtocols.STRANGERS; i++) {
                silent.add(joining(context));
            }
            // On a slow host its time is up before the last one came, which it is told.
            int end = silent.getFirst().getInputStream().read();
            assertTrue(end < 0 || System.nanoTime() - began > HttpLimits.REQUEST.toNanos());
            try (SSLSocket last = joining(context)) {
                assertEquals("HTTP/1.1 200 OK", ask(last));
            }
        } finally {
            for (SSLSocket one : silent) {
                one.close();
            }
        }
    }
}
