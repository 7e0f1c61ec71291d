package io.pageferry.transport.netty.tls;

import java.util.Objects;
import java.util.Set;

/**
 * How one side uses TLS.
 *
 * @param files   its certificate, its key, and the CA of its peers
 * @param allowed DNS names and URIs, one of which the certificate of a peer must have; empty lets
 *                every certificate of the CA in
 * @param engine  who encrypts
 */
public record TlsOptions(TlsFiles files, Set<String> allowed, TlsEngine engine) {
    /** Checks that all is there. */
    public TlsOptions {
        Objects.requireNonNull(files, "files");
        Objects.requireNonNull(engine, "engine");
        allowed = Set.copyOf(allowed);
    }

    /**
     * Makes the usual options.
     *
     * @param files   as above
     * @param allowed as above
     * @return the options, with {@link TlsEngine#AUTO}
     */
    public static TlsOptions of(TlsFiles files, Set<String> allowed) {
        return new TlsOptions(files, allowed, TlsEngine.AUTO);
    }
}
