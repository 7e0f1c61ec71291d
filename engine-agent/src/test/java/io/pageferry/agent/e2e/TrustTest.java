package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.transport.netty.tls.TlsFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code pageferry trust} makes what the other commands take. */
class TrustTest extends WithRig {
    private static final List<String> BOTH_ENDS =
            List.of("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");

    private List<ObjectNode> trust(int exit, String... words) throws IOException {
        Agent command = rig.command(with(with(List.of("trust"), words), "--dir",
                folder.resolve("ca").toString()));
        assertEquals(exit, command.exit(), command::toString);
        return command.events();
    }

    private Path file(String name) {
        return folder.resolve("ca").resolve(name);
    }

    private static List<String> names(ObjectNode event) {
        return event.withArray("names").valueStream().map(name -> name.asText()).toList();
    }

    private static long days(X509Certificate certificate) {
        return Duration.between(certificate.getNotBefore().toInstant(),
                certificate.getNotAfter().toInstant()).toDays();
    }

    @Test
    void aCaIssuesWhatBothSidesTake() throws Exception {
        assertEquals("CN=cluster one", trust(0, "init", "--name", "cluster one").getFirst()
                .path("subject").asText());
        assertEquals(List.of("alpha", "localhost", "127.0.0.1"),
                names(trust(0, "issue", "alpha").getFirst()));
        assertEquals(List.of("beta", "b.example", "c.example", "10.0.0.7", "spiffe://one/beta"),
                names(trust(0, "issue", "beta", "--dns", "b.example", "--dns", "c.example",
                "--ip", "10.0.0.7", "--uri", "spiffe://one/beta").getFirst()));
        List<ObjectNode> shown = trust(0, "show");
        assertEquals(List.of("CN=cluster one", "CN=alpha", "CN=beta"),
                shown.stream().map(event -> event.path("subject").asText()).toList());
        for (String secret : List.of("ca.key", "alpha.key", "beta.key")) {
            assertEquals("rw-------", PosixFilePermissions.toString(
                    Files.getPosixFilePermissions(file(secret))), secret);
        }
        TlsFiles.Material alpha = new TlsFiles(file("alpha.crt"), file("alpha.key"),
                file("ca.crt")).read();
        X509Certificate own = alpha.chain().getFirst();
        X509Certificate ca = alpha.ca().getFirst();
        own.verify(ca.getPublicKey());
        assertEquals(BOTH_ENDS, own.getExtendedKeyUsage());
        assertEquals(365, days(own));
        assertEquals(3652, days(ca));
        assertEquals(0, ca.getBasicConstraints());
    }

    @Test
    void aCaIsNeverReplacedAndACertificateIsRenewed() throws IOException {
        trust(0, "init");
        byte[] ca = Files.readAllBytes(file("ca.key"));
        trust(0, "issue", "alpha");
        byte[] alpha = Files.readAllBytes(file("alpha.key"));
        trust(3, "init");
        Files.delete(file("ca.crt"));
        trust(3, "init");
        trust(3, "issue", "alpha");
        assertEquals(new String(ca), Files.readString(file("ca.key")));
        assertEquals(new String(alpha), Files.readString(file("alpha.key")));
        Files.delete(file("ca.key"));
        trust(0, "init");
        trust(0, "issue", "alpha");
        assertFalse(new String(alpha).equals(Files.readString(file("alpha.key"))));
        assertTrue(Files.exists(file("alpha.crt")));
    }
}
