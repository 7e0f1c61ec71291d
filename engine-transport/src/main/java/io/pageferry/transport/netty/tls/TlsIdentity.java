package io.pageferry.transport.netty.tls;

import io.pageferry.core.words.Printable;
import java.math.BigInteger;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/**
 * Who a peer is, as its certificate says: its subject and all its names. Bound to names and not to
 * the certificate or its key, so that a renewed one is the same peer.
 *
 * @param text  subject (RFC 2253) and names, in an order of their own; equal for the same peer
 * @param names its DNS names and URIs
 * @param isNameless whether it has no name at all, no address either
 * @param isRevoked  whether this certificate of it was revoked
 * @param serial     number of this certificate, which its CA revokes it by
 */
public record TlsIdentity(String text, List<String> names, boolean isNameless,
        boolean isRevoked, BigInteger serial) {
    private static final int DNS = 2;
    private static final int URI = 6;
    private static final int IP = 7;

    /**
     * Reads the identity from a certificate that was checked.
     *
     * @param certificate the peer's own
     * @return the identity; without names where the certificate has none
     */
    public static TlsIdentity of(X509Certificate certificate) {
        TreeSet<String> all = new TreeSet<>();
        TreeSet<String> names = new TreeSet<>();
        for (List<?> name : alternatives(certificate)) {
            int type = (Integer) name.getFirst();
            if (type == DNS || type == URI) {
                names.add((String) name.get(1));
            }
            switch (type) {
                case DNS -> all.add("DNS:" + name.get(1));
                case URI -> all.add("URI:" + name.get(1));
                case IP -> all.add("IP:" + name.get(1));
                default -> { }
            }
        }
        return new TlsIdentity(Printable.of(certificate.getSubjectX500Principal().getName()
                + " (" + String.join(", ", all) + ")"), List.copyOf(names), all.isEmpty(),
                false, certificate.getSerialNumber());
    }

    TlsIdentity revoked(boolean revoked) {
        return new TlsIdentity(text, names, isNameless, revoked, serial);
    }

    /** No names are none: the extension was read when the chain was checked. */
    private static Collection<List<?>> alternatives(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            return names == null ? List.of() : names;
        } catch (CertificateParsingException e) {
            return List.of();
        }
    }

    /**
     * Compares with a list of names.
     *
     * @param allowed DNS names and URIs
     * @return whether one of this peer's names is among them, to the letter
     */
    public boolean isOneOf(Collection<String> allowed) {
        return names.stream().anyMatch(allowed::contains);
    }

    /** {@return the names, for a message} */
    public String shown() {
        return names.isEmpty() ? text : Printable.of(String.join(", ", names));
    }
}
