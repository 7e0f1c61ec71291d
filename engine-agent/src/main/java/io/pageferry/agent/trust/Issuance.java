package io.pageferry.agent.trust;

import io.pageferry.transport.netty.tls.TlsIdentity;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a CA issued and may still issue: certificates, and tokens that wait.
 *
 * @param trust the CA's folder
 */
public record Issuance(TrustFolder trust) {
    /** How long a token may wait at most. */
    public static final Duration LONGEST = Duration.ofHours(24);

    /** How it stands with a certificate. */
    public enum State {
        /** Agents take it. */
        VALID,
        /** Its life is over. */
        EXPIRED,
        /** Agents that have the list of revoked ones refuse it. */
        REVOKED,
        /** It is none yet: a token waits. */
        TOKEN
    }

    /**
     * A certificate, or a token for one.
     *
     * @param host   to whom
     * @param names  that are in it
     * @param serial in hexadecimal; empty of a token
     * @param until  the end of its life
     * @param state  how it stands
     */
    public record Item(String host, List<String> names, String serial, Instant until,
            State state) { }

    /**
     * Looks at a CA.
     *
     * @param trust its folder
     * @return what it issued
     */
    public static Issuance of(TrustFolder trust) {
        return new Issuance(trust);
    }

    /**
     * Makes a token.
     *
     * @param host    that may join by it
     * @param names   that its certificate will have
     * @param address of the CA's agent
     * @param life    how long it may wait
     * @return the token
     * @throws IOException with one line, where there is no CA or it cannot be written
     */
    public JoinToken token(String host, HostNames names, String address, Duration life)
            throws IOException {
        try {
            return trust.tokens().make(new JoinTokens.Pending(host, names,
                    Instant.now().plus(life)), JoinToken.pin(trust.ca()), address);
        } catch (GeneralSecurityException e) {
            throw new IOException("the CA's certificate has no SHA-256: " + e.getMessage(), e);
        }
    }

    /**
     * Lists all of it.
     *
     * @return certificates, the oldest first, and then tokens
     * @throws IOException with one line, where there is no CA or its list is damaged
     */
    public List<Item> all() throws IOException {
        List<Item> all = new ArrayList<>();
        Optional<X509CRL> revoked = trust.revoked();
        for (IssuedList.Entry one : trust.allIssued()) {
            all.add(new Item(one.host(), one.names().all(), one.serial().toString(16),
                    one.until(), isRevoked(revoked, one.serial()) ? State.REVOKED
                            : TrustFolder.isOver(one.until()) ? State.EXPIRED : State.VALID));
        }
        for (JoinTokens.Pending token : trust.tokens().open()) {
            all.add(new Item(token.host(), token.names().all(), "", token.until(), State.TOKEN));
        }
        return all;
    }

    private static boolean isRevoked(Optional<X509CRL> revoked, BigInteger serial) {
        return revoked.isPresent() && revoked.get().getRevokedCertificate(serial) != null;
    }

    /** Looks at the list anew: what was revoked since a handshake is told so too. */
    boolean isRevoked(BigInteger serial) throws IOException {
        return isRevoked(trust.revoked(), serial);
    }

    /** The serial numbers of what a host has and can use; also of what no list names. */
    Set<BigInteger> valid(String host) throws IOException {
        Set<BigInteger> serials = new LinkedHashSet<>();
        for (IssuedList.Entry one : trust.allIssued()) {
            if (one.host().equals(host) && !TrustFolder.isOver(one.until())) {
                serials.add(one.serial());
            }
        }
        if (PemFile.isThere(trust.certificate(host)) && !TrustFolder.RESERVED.contains(host)) {
            X509Certificate file = trust.host(host);
            if (!TrustFolder.isOver(file.getNotAfter().toInstant())) {
                serials.add(file.getSerialNumber());
            }
        }
        Optional<X509CRL> revoked = trust.revoked();
        serials.removeIf(serial -> isRevoked(revoked, serial));
        return serials;
    }

    /**
     * Finds the name by which this host was given its certificate.
     *
     * @return it; empty where this CA's list does not know the certificate
     * @throws IOException with one line, where it cannot be read
     */
    public Optional<String> nameOfOwn() throws IOException {
        return holder(TlsIdentity.of(trust.host(TrustFolder.OWN)).text())
                .map(IssuedList.Entry::host);
    }

    /** Finds to whom the certificate with an identity was issued last. */
    Optional<IssuedList.Entry> holder(String identity) throws IOException {
        return trust.allIssued().reversed().stream()
                .filter(one -> one.identity().equals(identity)).findFirst();
    }
}
