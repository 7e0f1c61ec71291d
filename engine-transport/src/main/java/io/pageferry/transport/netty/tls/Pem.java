package io.pageferry.transport.netty.tls;

import io.pageferry.transport.netty.tls.TlsException.Part;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads PEM (RFC 7468) by the JDK's own means. */
final class Pem {
    /** A file of ours has some KiB; more is another file by mistake. */
    private static final long MOST = 1 << 20;

    private static final List<String> ALGORITHMS = List.of("EC", "RSA", "Ed25519");

    private Pem() {
    }

    static List<X509Certificate> certificates(Part part, Path file) throws TlsException {
        List<X509Certificate> found = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (byte[] der : blocks("CERTIFICATE", text(part, file))) {
                found.add((X509Certificate) factory.generateCertificate(
                        new ByteArrayInputStream(der)));
            }
        } catch (CertificateException | IllegalArgumentException e) {
            throw new TlsException(part, file + ": its certificate is damaged ("
                    + e.getMessage() + "): write the file again", e);
        }
        if (found.isEmpty()) {
            throw new TlsException(part, file + " has no certificate in PEM: its first line would"
                    + " be -----BEGIN CERTIFICATE-----", null);
        }
        return List.copyOf(found);
    }

    /** Reads a list of revoked certificates; its signature is not looked at here. */
    static X509CRL revocations(Path file) throws TlsException {
        List<byte[]> lists;
        try {
            lists = blocks("X509 CRL", text(Part.CA, file));
            if (lists.size() == 1) {
                return (X509CRL) CertificateFactory.getInstance("X.509")
                        .generateCRL(new ByteArrayInputStream(lists.getFirst()));
            }
        } catch (CertificateException | CRLException | IllegalArgumentException e) {
            throw new TlsException(Part.CA, file + ": its list of revoked certificates is damaged ("
                    + e.getMessage() + "): write the file again", e);
        }
        throw new TlsException(Part.CA, file + " has no list of revoked certificates in PEM: its"
                + " first line would be -----BEGIN X509 CRL-----", null);
    }

    static PrivateKey key(Path file) throws TlsException {
        String text = text(Part.KEY, file);
        List<byte[]> keys;
        try {
            keys = blocks("PRIVATE KEY", text);
        } catch (IllegalArgumentException e) {
            throw new TlsException(Part.KEY, file + ": its key is damaged: write the file again",
                    e);
        }
        if (keys.size() != 1) {
            throw new TlsException(Part.KEY, file + (text.contains("PRIVATE KEY-----")
                    ? " has a key in another form: openssl pkcs8 -topk8 -nocrypt writes the one"
                            + " that is read, PKCS #8 without a password"
                    : " has no private key in PEM: its first line would be"
                            + " -----BEGIN PRIVATE KEY-----"), null);
        }
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm)
                        .generatePrivate(new PKCS8EncodedKeySpec(keys.getFirst()));
            } catch (GeneralSecurityException e) {
                // Of another algorithm: the next one is tried, and none is an error below.
                continue;
            }
        }
        throw new TlsException(Part.KEY, file + " has a key that is none of " + ALGORITHMS
                + ", or is damaged", null);
    }

    private static String text(Part part, Path file) throws TlsException {
        try {
            if (Files.size(file) > MOST) {
                throw new TlsException(part, file + " has more than 1 MiB: it is another file",
                        null);
            }
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            throw new TlsException(part, file + ": there is no such file; pageferry trust issue"
                    + " makes certificates", e);
        } catch (AccessDeniedException e) {
            throw new TlsException(part, file + ": this user may not read it; change its owner",
                    e);
        } catch (TlsException e) {
            throw e;
        } catch (IOException e) {
            throw new TlsException(part, file + " cannot be read (" + e.getMessage()
                    + "): give a file in PEM", e);
        }
    }

    private static List<byte[]> blocks(String label, String text) {
        Matcher found = Pattern.compile("-----BEGIN " + label + "-----([A-Za-z0-9+/=\\s]*)"
                + "-----END " + label + "-----").matcher(text);
        List<byte[]> blocks = new ArrayList<>();
        while (found.find()) {
            blocks.add(Base64.getMimeDecoder().decode(found.group(1)));
        }
        return blocks;
    }
}
