package io.pageferry.agent.trust;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpAnswer.Whole;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.netty.tls.TlsIdentity;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the CA's side says to whom. */
class JoinDeskTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration LIFE = Duration.ofMinutes(5);

    @TempDir
    private Path folder;

    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private final List<String> refusals = Collections.synchronizedList(new ArrayList<>());
    private TrustFolder trust;
    private JoinDesk desk;
    private KeyPair keys;
    private byte[] request;

    @BeforeEach
    void makeCa() throws Exception {
        trust = new TrustFolder(folder.resolve("ca"));
        trust.init("test CA");
        desk = new JoinDesk(trust, log::add, refusals::add);
        keys = CertificateMaker.keys();
        request = CertificateMaker.request(keys);
    }

    private static HostNames names(String host) {
        return HostNames.of(host, List.of(), List.of(), List.of());
    }

    private JoinToken token(Duration life) throws IOException {
        return Issuance.of(trust).token("b", names("b"), "127.0.0.1:1", life);
    }

    private ObjectNode by(JoinToken token, byte[] asked) {
        return JSON.createObjectNode().put("id", HexFormat.of().formatHex(token.id()))
                .put("request", Base64.getEncoder().encodeToString(asked))
                .put("proof", HexFormat.of().formatHex(
                        JoinToken.proof(token.secret(), asked)));
    }

    private HttpAnswer answer(String path, String body, HttpCall.Caller caller) {
        return desk.answer(new HttpCall("POST", path, Map.of(), Map.of(),
                body.getBytes(StandardCharsets.UTF_8), caller));
    }

    private HttpAnswer answer(String path, String body, String caller) {
        return answer(path, body, new HttpCall.Caller(-1, -1, caller));
    }

    private static HttpCall.Caller with(X509Certificate certificate, String name) {
        return new HttpCall.Caller(-1, -1, name, Optional.of(certificate.getSerialNumber()));
    }

    private static HttpCall.Caller with(X509Certificate certificate) {
        return with(certificate, TlsIdentity.of(certificate).text());
    }

    private String renewal() {
        return JSON.createObjectNode().put("request",
                Base64.getEncoder().encodeToString(request)).toString();
    }

    private static Whole whole(HttpAnswer answer) {
        return (Whole) (answer instanceof HttpAnswer.Later later
                ? later.start().get().toCompletableFuture().join() : answer);
    }

    private Whole ask(String path, String body, String caller) {
        return whole(answer(path, body, caller));
    }

    private String refused(String path, String body, String caller) throws IOException {
        return reason(ask(path, body, caller));
    }

    private static String reason(Whole answer) throws IOException {
        assertEquals(403, answer.status());
        return JSON.readTree(answer.body()).path("reason").asText();
    }

    private static X509Certificate certificate(Whole answer) throws Exception {
        JsonNode body = JSON.readTree(answer.body());
        assertEquals(200, answer.status(), body::toString);
        return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(
                new ByteArrayInputStream(Base64.getDecoder().decode(
                        body.path("certificate").asText())));
    }

    @Test
    void aTokenIsForOneHostOnce() throws Exception {
        JoinToken token = token(LIFE);
        X509Certificate made = certificate(ask(JoinDesk.JOIN, by(token, request).toString(), ""));
        made.verify(trust.ca().getPublicKey());
        assertEquals(keys.getPublic(), made.getPublicKey());
        assertEquals("CN=b", made.getSubjectX500Principal().getName(), "the CA gives the name");
        Whole again = ask(JoinDesk.JOIN, by(token, request).toString(), "");
        assertEquals("this token was used already", reason(again));
        assertTrue(JSON.readTree(again.body()).path("remedy").asText()
                .contains("pageferry trust revoke b,"));
        assertEquals(1, log.size(), log::toString);
        assertTrue(log.getFirst().startsWith("trust: b joined, serial "), log::toString);
        assertEquals(List.of("a host that joins: this token was used already"), refusals);
    }

    @Test
    void ofSeveralThatComeAtOnceOneGetsIt() throws IOException {
        String body = by(token(LIFE), request).toString();
        assertEquals(1, IntStream.range(0, 8).parallel()
                .mapToObj(i -> answer(JoinDesk.JOIN, body, "")).toList().stream()
                .filter(answer -> whole(answer).status() == 200).count());
    }

    @Test
    void anOldOneIsNamedToItsHolderAlone() throws Exception {
        JoinToken token = token(Duration.ofNanos(1));
        assertTrue(refused(JoinDesk.JOIN, by(token, request).toString(), "")
                .startsWith("this token has expired, at "));
        ObjectNode wrong = by(token, request).put("proof", "00".repeat(32));
        assertEquals("no such token is known here",
                refused(JoinDesk.JOIN, wrong.toString(), ""));
    }

    /** Of all that a stranger may say nothing tells him what there is. */
    @Test
    void whoKnowsNoSecretHearsTheSameWhateverHeAsks() throws Exception {
        JoinToken open = token(LIFE);
        String right = by(open, request).toString();
        ObjectNode otherRequest = by(open, CertificateMaker.request(CertificateMaker.keys()))
                .put("proof", JSON.readTree(right).path("proof").asText());
        List<HttpAnswer> wrong = Stream.of(by(open, request).put("proof", ""),
                by(open, request).put("id", "00".repeat(8)),
                by(open, request).put("id", "../../ca"), otherRequest)
                .map(body -> answer(JoinDesk.JOIN, body.toString(), "")).toList();
        List<HttpAnswer> garbage = Stream.of("", "[]", "{\"id\":1}", "{", "{\"proof\":\"x\"}")
                .map(body -> answer(JoinDesk.JOIN, body, "")).toList();
        for (HttpAnswer answer : wrong) {
            assertEquals("no such token is known here", reason(whole(answer)));
        }
        for (HttpAnswer answer : garbage) {
            assertFalse(reason(whole(answer)).isEmpty());
        }
        assertEquals(404, ask("/v1/migrations", "", "").status());
        assertEquals(200, ask(JoinDesk.JOIN, right, "").status(), "it can be used still");
    }

    @Test
    void aRequestWithoutItsKeyIsRefusedAndUsesTheTokenUp() throws Exception {
        JoinToken token = token(LIFE);
        request[request.length - 1] ^= 1;
        assertEquals("the request cannot be used",
                refused(JoinDesk.JOIN, by(token, request).toString(), ""));
        assertEquals(List.of(), trust.allIssued());
    }

    @Test
    void whoHasACertificateRenewsItAsItIs() throws Exception {
        X509Certificate old = trust.issue("c", "c", names("c"));
        Whole answer = whole(answer(JoinDesk.RENEW, renewal(), with(old)));
        X509Certificate made = certificate(answer);
        assertEquals(TlsIdentity.of(old).text(), TlsIdentity.of(made).text());
        assertFalse(old.getSerialNumber().equals(made.getSerialNumber()));
        assertEquals("close", answer.headers().get("Connection"), "one answer each");
        assertTrue(refused(JoinDesk.RENEW, renewal(), "")
                .startsWith("only a host with a certificate"));
        assertTrue(reason(whole(answer(JoinDesk.RENEW, renewal(), with(old, "CN=x"))))
                .startsWith("the list of what this CA"));
    }

    /** His connection may stand since before. */
    @Test
    void whoWasRevokedRenewsNothing() throws Exception {
        X509Certificate old = trust.issue("c", "c", names("c"));
        trust.revoke("c");
        int before = trust.allIssued().size();
        Whole answer = whole(answer(JoinDesk.RENEW, renewal(), with(old)));
        assertTrue(reason(answer).startsWith("only a host with a certificate"));
        assertEquals("close", answer.headers().get("Connection"));
        assertEquals(before, trust.allIssued().size());
    }

    /** As on a full disk: the second file cannot be written. */
    @Test
    void whoCannotWriteBothHalvesOfAPairKeepsTheOldOne() throws Exception {
        trust.issue("c", "c", names("c"));
        byte[] key = Files.readAllBytes(trust.key("c"));
        byte[] certificate = Files.readAllBytes(trust.certificate("c"));
        Files.createDirectories(folder.resolve("ca/c.crt.new/in-the-way"));
        assertThrows(IOException.class, () -> trust.issue("c", "c", names("c")));
        assertArrayEquals(key, Files.readAllBytes(trust.key("c")));
        assertArrayEquals(certificate, Files.readAllBytes(trust.certificate("c")));
    }

    @Test
    void aFolderThatOthersWriteToIsNotTaken() throws Exception {
        Path open = Files.createDirectory(folder.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxr-x"));
        TrustFolder other = new TrustFolder(open);
        JoinToken token = token(LIFE);
        String words = open + " can be written to by other users";
        assertTrue(assertThrows(GuestException.class, () -> other.init("x")).getMessage()
                .startsWith(words));
        assertTrue(assertThrows(GuestException.class, () -> new Joining(other).join(token))
                .getMessage().startsWith(words));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
        other.init("x");
    }

    @Test
    void ofSeveralThatAreRevokedAtOnceNoneIsForgotten() throws Exception {
        List<String> hosts = IntStream.range(0, 8).mapToObj(i -> "h" + i).toList();
        for (String host : hosts) {
            trust.issue(host, host, names(host));
        }
        hosts.parallelStream().forEach(host -> {
            try {
                trust.revoke(host);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        assertEquals(hosts.stream().map(host -> host + " REVOKED").toList(), items());
    }

    /** Another process has the lock, as the command's is another one than the agent's. */
    @Test
    void whileAnotherProcessChangesTheFolderNobodyJoinsOrIsRevoked() throws Exception {
        trust.issue("c", "c", names("c"));
        String body = by(token(LIFE), request).toString();
        Path holder = Files.writeString(folder.resolve("Holder.java"), """
                void main(String[] file) throws Exception {
                    try (var it = new java.io.RandomAccessFile(file[0], "rw")) {
                        it.getChannel().lock();
                        IO.println("locked");
                        System.in.read();
                    }
                }
                """);
        Process other = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/java")
                .toString(), holder.toString(), folder.resolve("ca/lock").toString()).start();
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            assertEquals("locked", other.inputReader().readLine());
            Future<Whole> join = pool.submit(() -> ask(JoinDesk.JOIN, body, ""));
            Future<Integer> revoke = pool.submit(() -> trust.revoke("c"));
            assertThrows(TimeoutException.class, () -> join.get(300, TimeUnit.MILLISECONDS));
            assertThrows(TimeoutException.class, () -> revoke.get(1, TimeUnit.MILLISECONDS));
            other.outputWriter().close();
            assertEquals(200, join.get().status());
            assertEquals(1, revoke.get());
        } finally {
            other.destroyForcibly().waitFor();
        }
    }

    @Test
    void whatIsRevokedIsListedAndRefused() throws Exception {
        X509Certificate old = trust.issue("c", "c", names("c"));
        trust.issue("d", "d", names("d"));
        token(LIFE);
        assertEquals(1, trust.revoke("c"));
        assertTrue(trust.own().revocations().toFile().isFile());
        trust.issue(TrustFolder.OWN, "a", names("a"));
        assertTrue(trust.own().read().revokes(old));
        assertFalse(trust.own().read().revokes(trust.host("d")));
        assertEquals(List.of("c REVOKED", "d VALID", "a VALID", "b TOKEN"), items());
        assertEquals(0, trust.revoke("b"), "a token alone");
        X509Certificate again = trust.issue("c", "c", names("c"));
        assertFalse(trust.own().read().revokes(again), "it may be let in again");
        assertEquals(1, trust.revoke("c"));
        assertTrue(trust.own().read().revokes(again));
        assertTrue(trust.own().read().revokes(old), "an older one stays in the list");
    }

    private List<String> items() throws IOException {
        return Issuance.of(trust).all().stream().map(one -> one.host() + " " + one.state())
                .toList();
    }
}
