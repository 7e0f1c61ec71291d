package io.pageferry.transport.netty.tls;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A CA of a test, whose certificates are files. Each is valid for the year around now. */
public final class TestCa {
    private static final long HALF_YEAR = 183L * 24 * 3_600_000;

    private final Path folder;
    private final KeyPair keys = keys();
    private final X509Certificate root;
    private int serial = 1;

    /**
     * Makes one.
     *
     * @param folder made where its files go
     */
    public TestCa(Path folder) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.root = certificate("CN=test CA", keys, List.of(), HALF_YEAR);
        write("ca.crt", "CERTIFICATE", encoded(root));
    }

    /**
     * Issues a certificate; the same name again is a renewal with a new key.
     *
     * @param name  of the host and of its files
     * @param names dns:NAME, uri:NAME or ip4:ADDRESS
     * @return its files, with this CA for the peers
     */
    public TlsFiles issue(String name, String... names) throws IOException {
        return issue(name, HALF_YEAR, names);
    }

    /** Issues one that has expired. */
    public TlsFiles issueExpired(String name, String... names) throws IOException {
        return issue(name, -1000, names);
    }

    private TlsFiles issue(String name, long validMillis, String... names) throws IOException {
        KeyPair own = keys();
        X509Certificate made = certificate("CN=" + name, own, List.of(names), validMillis);
        write(name + ".crt", "CERTIFICATE", encoded(made));
        write(name + ".key", "PRIVATE KEY", own.getPrivate().getEncoded());
        return new TlsFiles(folder.resolve(name + ".crt"), folder.resolve(name + ".key"),
                folder.resolve("ca.crt"));
    }

    private X509Certificate certificate(String subject, KeyPair own, List<String> names,
            long validMillis) {
        try {
            JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                    root == null ? new X500Principal(subject) : root.getSubjectX500Principal(),
                    BigInteger.valueOf(serial++),
                    new Date(System.currentTimeMillis() - HALF_YEAR),
                    new Date(System.currentTimeMillis() + validMillis),
                    new X500Principal(subject), own.getPublic());
            extend(builder, names);
            return new JcaX509CertificateConverter().getCertificate(builder.build(
                    new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
        } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
            throw new AssertionError(e);
        }
    }

    private void extend(JcaX509v3CertificateBuilder builder, List<String> names)
            throws CertIOException {
        if (root == null) {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        }
        if (!names.isEmpty()) {
            builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(
                    names.stream().map(TestCa::name).toArray(GeneralName[]::new)));
        }
    }

    private static GeneralName name(String text) {
        String value = text.substring(4);
        return switch (text.substring(0, 4)) {
            case "dns:" -> new GeneralName(GeneralName.dNSName, value);
            case "uri:" -> new GeneralName(GeneralName.uniformResourceIdentifier, value);
            case "ip4:" -> new GeneralName(GeneralName.iPAddress, value);
            default -> throw new IllegalArgumentException(text);
        };
    }

    private static KeyPair keys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] encoded(X509Certificate certificate) {
        try {
            return certificate.getEncoded();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private void write(String file, String label, byte[] der) throws IOException {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        Files.writeString(folder.resolve(file), "-----BEGIN " + label + "-----\n" + base64
                + "\n-----END " + label + "-----\n", StandardCharsets.US_ASCII);
    }
}
