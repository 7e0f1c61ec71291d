package io.pageferry.transport.netty.tls;

import io.pageferry.transport.netty.tls.TlsException.Part;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Where one side's certificates are, in PEM. Read again for each connection where one of them
 * changed. A list of revoked certificates is looked for beside the CA: of {@code ca.crt} it is
 * {@code ca.crl}, which need not be there.
 *
 * @param certificate the own one, and those between it and the CA behind it
 * @param key         its private key, PKCS #8, not encrypted
 * @param ca          the certificates of the CAs whose peers are let in
 */
public record TlsFiles(Path certificate, Path key, Path ca) {
    /**
     * What the files hold.
     *
     * @param chain   the own certificate first
     * @param key     of the first certificate
     * @param ca      at least one
     * @param revoked signed by one of those; empty where there is no such list
     */
    public record Material(List<X509Certificate> chain, PrivateKey key,
            List<X509Certificate> ca, Optional<X509CRL> revoked) {
        /**
         * Looks a certificate up among those that were revoked.
         *
         * @param certificate of a peer
         * @return whether it is one of them
         */
        public boolean revokes(X509Certificate certificate) {
            return revoked.isPresent() && revoked.get().isRevoked(certificate);
        }
    }

    /** When a file was changed last, as far as can be seen without reading it. */
    private record Stamp(Object inode, long size, long modified) { }

    /**
     * Reads and checks the files.
     *
     * @return what they hold
     * @throws TlsException when one is missing, cannot be read or is no such PEM, or when the key
     *                      is not that of the certificate
     */
    public Material read() throws TlsException {
        List<X509Certificate> chain = Pem.certificates(Part.CERT, certificate);
        PrivateKey own = Pem.key(key);
        if (!fits(own, chain.getFirst().getPublicKey())) {
            throw new TlsException(Part.KEY, key + " is not the key of " + certificate
                    + ": give the two files that were made together", null);
        }
        List<X509Certificate> signers = Pem.certificates(Part.CA, ca);
        return new Material(chain, own, signers, revocations(signers));
    }

    /** {@return where the list of revoked certificates is, if there is one} */
    public Path revocations() {
        String name = ca.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return ca.resolveSibling((dot < 1 ? name : name.substring(0, dot)) + ".crl");
    }

    private Optional<X509CRL> revocations(List<X509Certificate> signers) throws TlsException {
        if (Files.notExists(revocations())) {
            return Optional.empty();
        }
        X509CRL list = Pem.revocations(revocations());
        for (X509Certificate signer : signers) {
            try {
                list.verify(signer.getPublicKey());
                return Optional.of(list);
            } catch (GeneralSecurityException e) {
                // Another one may have signed it; that none did is an error below.
                continue;
            }
        }
        throw new TlsException(Part.CA, revocations() + " is not signed by the CA of " + ca
                + ": copy it from the host of that CA again", null);
    }

    /** Changes whenever one of the files is replaced or written. */
    Object stamp() {
        List<Object> stamps = new ArrayList<>();
        for (Path file : List.of(certificate, key, ca, revocations())) {
            try {
                BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
                stamps.add(new Stamp(now.fileKey(), now.size(),
                        now.lastModifiedTime().to(TimeUnit.NANOSECONDS)));
            } catch (IOException e) {
                stamps.add("missing");
            }
        }
        return stamps;
    }

    private static boolean fits(PrivateKey key, PublicKey other) {
        String algorithm = switch (key.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> key.getAlgorithm();
        };
        byte[] sample = new byte[32];
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update(sample);
            byte[] signed = signature.sign();
            signature.initVerify(other);
            signature.update(sample);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            // A key of another algorithm than the certificate's is no key of it.
            return false;
        }
    }
}
