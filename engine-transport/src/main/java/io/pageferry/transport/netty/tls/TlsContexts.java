package io.pageferry.transport.netty.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.ReferenceCountUtil;
import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLException;

/**
 * What connections are made with. Looks at the files for each of them, and reads them again where
 * one changed; connections that stand keep what they began with. Any thread.
 */
public final class TlsContexts implements AutoCloseable {
    /** What both sides must name in the handshake (RFC 7301). */
    public static final String PROTOCOL = "pageferry/1";

    private static final String VERSION = "TLSv1.3";

    private final TlsOptions options;
    private final boolean client;
    private final AtomicReference<String> notice = new AtomicReference<>();
    private SslContext current;
    private Object stamp;

    /**
     * Makes contexts; nothing is read yet.
     *
     * @param options settings
     * @param client  whether they are a source's
     */
    public TlsContexts(TlsOptions options, boolean client) {
        this.options = options;
        this.client = client;
    }

    /** {@return the settings} */
    public TlsOptions options() {
        return options;
    }

    /**
     * Gives what the next connection is made with, retained for the caller. Files that cannot be
     * used any more leave the last ones in use, which {@link #pollNotice} tells once.
     *
     * @return the context, the caller's to release
     * @throws TlsException when the files cannot be used, and no earlier ones were
     */
    synchronized SslContext retained() throws TlsException {
        Object now = options.files().stamp();
        if (!now.equals(stamp)) {
            // Before they are read: what is written meanwhile has another stamp.
            stamp = now;
            try {
                SslContext made = make();
                ReferenceCountUtil.release(current);
                current = made;
            } catch (TlsException e) {
                if (current == null) {
                    stamp = null;
                    throw e;
                }
                notice.set("TLS goes on with the certificates that were read before: "
                        + e.getMessage());
            }
        }
        return ReferenceCountUtil.retain(current);
    }

    /**
     * Reads the files, and makes an engine once: a cold JVM loads for seconds what is wanted for
     * that, and a peer waits no longer than the handshake's limit.
     *
     * @throws TlsException when the files cannot be used
     */
    public void prime() throws TlsException {
        SslContext context = retained();
        try {
            ReferenceCountUtil.release(client
                    ? context.newEngine(ByteBufAllocator.DEFAULT, "localhost", 1)
                    : context.newEngine(ByteBufAllocator.DEFAULT));
        } finally {
            ReferenceCountUtil.release(context);
        }
    }

    /** {@return one line that is to be logged, once; empty where there is none} */
    public Optional<String> pollNotice() {
        // Asked in every duty cycle: written only where there is one.
        return notice.get() == null ? Optional.empty()
                : Optional.ofNullable(notice.getAndSet(null));
    }

    private SslContext make() throws TlsException {
        TlsFiles.Material material = options.files().read();
        X509Certificate[] chain = material.chain().toArray(X509Certificate[]::new);
        SslContextBuilder builder = client
                ? SslContextBuilder.forClient().keyManager(material.key(), chain)
                        .endpointIdentificationAlgorithm("HTTPS")
                : SslContextBuilder.forServer(material.key(), chain)
                        .clientAuth(ClientAuth.REQUIRE);
        try {
            return builder.sslProvider(options.engine().provider()).protocols(VERSION)
                    .trustManager(material.ca().toArray(X509Certificate[]::new))
                    // Who agrees on none is refused by TlsGate: BoringSSL cannot be told to.
                    .applicationProtocolConfig(new ApplicationProtocolConfig(Protocol.ALPN,
                            SelectorFailureBehavior.NO_ADVERTISE,
                            SelectedListenerFailureBehavior.ACCEPT, PROTOCOL))
                    .build();
        } catch (SSLException | IllegalArgumentException e) {
            throw new TlsException(TlsException.Part.CERT, options.files().certificate()
                    + " cannot be used: " + e.getMessage(), e);
        }
    }

    /** Frees what is kept for the next connection; those that stand hold their own. */
    @Override
    public synchronized void close() {
        ReferenceCountUtil.release(current);
        current = null;
        stamp = null;
    }
}
