package io.pageferry.agent.link;

import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.SharedSecret;
import io.pageferry.transport.netty.tls.TlsException;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.time.Instant;
import java.util.Comparator;
import java.util.Objects;
import java.util.Optional;

/**
 * How a side knows that its peer belongs: by its certificate, by a secret that both have, or else,
 * on one host, by its user.
 *
 * @param tls    how TLS is used; empty where it is off
 * @param secret that each connection has to prove; empty where there is none
 */
public record PeerTrust(Optional<TlsOptions> tls, Optional<SharedSecret> secret) {
    /** Checks that both are there. */
    public PeerTrust {
        Objects.requireNonNull(tls, "tls");
        Objects.requireNonNull(secret, "secret");
    }

    /**
     * Makes one without a secret.
     *
     * @param tls how TLS is used; empty where it is off
     * @return it
     */
    public static PeerTrust of(Optional<TlsOptions> tls) {
        return new PeerTrust(tls, Optional.empty());
    }

    /**
     * Reads when the own certificate, or one between it and its CA, expires.
     *
     * @return the first of these times; empty without TLS, and where the files cannot be read
     */
    public Optional<Instant> certificateExpiry() {
        try {
            return tls.isEmpty() ? Optional.empty() : tls.get().files().read().chain().stream()
                    .map(one -> one.getNotAfter().toInstant()).min(Comparator.naturalOrder());
        } catch (TlsException e) {
            // Whoever connects hears of that.
            return Optional.empty();
        }
    }

    /** Of who knows the secret it does not matter which user it is. */
    Security security() {
        return new Security(tls, secret, secret.isPresent() ? Admission.open()
                : new LocalPeers());
    }
}
