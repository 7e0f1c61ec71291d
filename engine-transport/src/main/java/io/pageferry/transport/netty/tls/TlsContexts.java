package io.pageferry.transport.netty.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.ReferenceCountUtil;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;

/**
 * What connections are made with. Looks at the files for each of them, and reads them again where
 * one changed; connections that stand keep what they began with. Any thread.
 */
public final class TlsContexts implements AutoCloseable {
    /** What both sides must name in the handshake (RFC 7301). */
    public static final String PROTOCOL = "pageferry/1";

    private static final String VERSION = "TLSv1.3";

    /**
     * What a target's port serves besides pages, each named in the handshake by a name of its own.
     * Any thread.
     */
    public interface OtherProtocols {
        /** {@return their names (RFC 7301)} */
        Set<String> names();

        /**
         * Says whether a protocol is for peers without a certificate too. Where one is, the
         * target shows its CA's certificate behind its own, by which such a peer knows it.
         *
         * @param name of one of them
         * @return whether
         */
        boolean isForStrangers(String name);

        /**
         * Takes a connection over, on its IO thread; what comes is behind what is added now.
         *
         * @param channel decrypted
         * @param name    of the protocol
         * @param peer    whose certificate was checked; empty for a stranger
         */
        void take(Channel channel, String name, Optional<TlsIdentity> peer);

        /**
         * Waits until threads of its own did what follows from the end of connections.
         *
         * @param millis longest wait
         */
        default void settle(long millis) {
            // Most have no threads of their own.
        }

        /** {@return none} */
        static OtherProtocols none() {
            return new OtherProtocols() {
                @Override
                public Set<String> names() {
                    return Set.of();
                }

                @Override
                public boolean isForStrangers(String name) {
                    return false;
                }

                @Override
                public void take(Channel channel, String name, Optional<TlsIdentity> peer) {
                    channel.close();
                }
            };
        }
    }

    private final TlsOptions options;
    private final boolean client;
    private final OtherProtocols others;
    private final AtomicReference<String> notice = new AtomicReference<>();
    private SslContext current;
    private Object stamp;
    private volatile TlsFiles.Material material;

    private TlsContexts(TlsOptions options, boolean client, OtherProtocols others) {
        this.options = options;
        this.client = client;
        this.others = others;
    }

    /**
     * Makes those of a source; nothing is read yet.
     *
     * @param options settings
     * @return they
     */
    public static TlsContexts ofSource(TlsOptions options) {
        return new TlsContexts(options, true, OtherProtocols.none());
    }

    /**
     * Makes those of a target; nothing is read yet.
     *
     * @param options settings
     * @param others  that it serves besides pages
     * @return they
     */
    public static TlsContexts ofTarget(TlsOptions options, OtherProtocols others) {
        return new TlsContexts(options, false, others);
    }

    OtherProtocols others() {
        return others;
    }

    /** Who a peer is, by the list of revoked certificates that was read last. */
    TlsIdentity identity(X509Certificate peer) {
        return TlsIdentity.of(peer).revoked(material.revokes(peer));
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
        TlsFiles.Material read = options.files().read();
        boolean strangers = others.names().stream().anyMatch(others::isForStrangers);
        X509Certificate[] chain = Stream.concat(read.chain().stream(), strangers
                ? read.ca().stream() : Stream.of()).distinct().toArray(X509Certificate[]::new);
        SslContextBuilder builder = client
                ? SslContextBuilder.forClient().keyManager(read.key(), chain)
                        .endpointIdentificationAlgorithm("HTTPS")
                // Where strangers may come, TlsGate asks the others for their certificate.
                : SslContextBuilder.forServer(read.key(), chain)
                        .clientAuth(strangers ? ClientAuth.OPTIONAL : ClientAuth.REQUIRE);
        List<String> names = new ArrayList<>(others.names());
        names.addFirst(PROTOCOL);
        try {
            SslContext made = builder.sslProvider(options.engine().provider()).protocols(VERSION)
                    .trustManager(read.ca().toArray(X509Certificate[]::new))
                    // Who agrees on none is refused by TlsGate: BoringSSL cannot be told to.
                    .applicationProtocolConfig(new ApplicationProtocolConfig(Protocol.ALPN,
                            SelectorFailureBehavior.NO_ADVERTISE,
                            SelectedListenerFailureBehavior.ACCEPT, names))
                    .build();
            material = read;
            return made;
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
