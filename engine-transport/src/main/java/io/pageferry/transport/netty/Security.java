package io.pageferry.transport.netty;

import io.pageferry.transport.netty.tls.TlsOptions;
import java.util.Objects;
import java.util.Optional;

/**
 * Who is let in, and whether others can read along.
 *
 * @param tls       how TLS is used; empty where it is off
 * @param admission asked of connections without TLS
 */
public record Security(Optional<TlsOptions> tls, Admission admission) {
    /** Checks that both are there. */
    public Security {
        Objects.requireNonNull(tls, "tls");
        Objects.requireNonNull(admission, "admission");
    }

    /** {@return no TLS, and everybody is let in} */
    public static Security none() {
        return new Security(Optional.empty(), Admission.open());
    }
}
