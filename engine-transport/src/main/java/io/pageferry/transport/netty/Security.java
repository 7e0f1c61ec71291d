package io.pageferry.transport.netty;

import io.pageferry.transport.netty.tls.TlsOptions;
import java.util.Objects;
import java.util.Optional;

/**
 * Who is let in, and whether others can read along.
 *
 * @param tls       how TLS is used; empty where it is off
 * @param secret    that a peer has to prove, on each connection; empty where there is none
 * @param admission asked of connections without TLS
 */
public record Security(Optional<TlsOptions> tls, Optional<SharedSecret> secret,
        Admission admission) {
    /** Checks that all are there. */
    public Security {
        Objects.requireNonNull(tls, "tls");
        Objects.requireNonNull(secret, "secret");
        Objects.requireNonNull(admission, "admission");
    }

    /**
     * Makes one without a secret.
     *
     * @param tls       how TLS is used; empty where it is off
     * @param admission asked of connections without TLS
     */
    public Security(Optional<TlsOptions> tls, Admission admission) {
        this(tls, Optional.empty(), admission);
    }

    /** {@return no TLS, and everybody is let in} */
    public static Security none() {
        return new Security(Optional.empty(), Admission.open());
    }
}
