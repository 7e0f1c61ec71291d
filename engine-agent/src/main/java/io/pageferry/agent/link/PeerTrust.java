package io.pageferry.agent.link;

import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.SharedSecret;
import io.pageferry.transport.netty.tls.TlsOptions;
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

    /** Of who knows the secret it does not matter which user it is. */
    Security security() {
        return new Security(tls, secret, secret.isPresent() ? Admission.open()
                : new LocalPeers());
    }
}
