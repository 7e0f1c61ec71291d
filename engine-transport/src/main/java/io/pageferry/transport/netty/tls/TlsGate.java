package io.pageferry.transport.netty.tls;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.AttributeKey;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * Stands between TLS and the frames: lets nothing through before the handshake agreed on
 * {@link TlsContexts#PROTOCOL}, notes who the peer is, and words what went wrong. On the IO thread.
 */
public final class TlsGate extends ChannelInboundHandlerAdapter {
    private static final AttributeKey<TlsIdentity> IDENTITY =
            AttributeKey.valueOf(TlsGate.class, "identity");

    private final SslHandler handler;
    private final TlsContexts contexts;
    private final boolean client;
    /** Of a source; a target asks once the preambles are exchanged, to tell the peer. */
    private final Set<String> allowed;
    private final TlsLinger linger;
    private boolean open;
    private boolean failed;

    /**
     * Tells those behind TLS that the peer speaks another protocol: they go, and another takes
     * the channel.
     */
    public record Leaving() { }

    private TlsGate(SslHandler handler, TlsContexts contexts, boolean client, TlsLinger linger) {
        this.handler = handler;
        this.contexts = contexts;
        this.client = client;
        this.allowed = client ? contexts.options().allowed() : Set.of();
        this.linger = linger;
    }

    /**
     * Returns who is at the other end.
     *
     * @param channel of a connection
     * @return the identity, once the handshake is over; empty without TLS
     */
    public static Optional<TlsIdentity> identityOf(Channel channel) {
        return Optional.ofNullable(channel.attr(IDENTITY).get());
    }

    /**
     * Begins TLS on a channel of a source, before it is connected.
     *
     * @param channel  whose pipeline is empty still
     * @param contexts what to make it of
     * @param host     that the target's certificate must name
     * @param port     of the target
     * @param closing  time limit for the peer's own close after a failed handshake
     * @throws TlsException when the files cannot be used
     */
    public static void connect(Channel channel, TlsContexts contexts, String host, int port,
            Duration closing) throws TlsException {
        SslContext context = contexts.retained();
        try {
            SslHandler handler = context.newHandler(channel.alloc(), host, port);
            install(channel.pipeline(), handler, contexts, true, closing);
        } finally {
            ReferenceCountUtil.release(context);
        }
    }

    /**
     * Has a channel of a target begin TLS where the peer does, and else go on without: who speaks
     * plainly is told so in words that it knows, by its listener.
     *
     * @param channel  whose pipeline ends with what takes the frames
     * @param contexts what to make it of
     * @param closing  as at {@link #connect}
     * @throws TlsException when the files cannot be used
     */
    public static void accept(Channel channel, TlsContexts contexts, Duration closing)
            throws TlsException {
        SslContext context = contexts.retained();
        ChannelPipeline pipeline = channel.pipeline();
        pipeline.addBefore(pipeline.lastContext().name(), null,
                new TlsOrPlain(context, contexts, closing));
    }

    /** Adds what TLS consists of. */
    static void install(ChannelPipeline pipeline, SslHandler handler, TlsContexts contexts,
            boolean client, Duration closing) {
        // The limit for preamble and first message covers the handshake too.
        handler.setHandshakeTimeoutMillis(0);
        handler.setCloseNotifyFlushTimeoutMillis(Math.max(1, closing.toMillis()));
        TlsLinger linger = new TlsLinger(closing);
        TlsGate gate = new TlsGate(handler, contexts, client, linger);
        if (client) {
            pipeline.addLast(linger, handler, gate);
        } else {
            String last = pipeline.lastContext().name();
            pipeline.addBefore(last, null, linger);
            pipeline.addBefore(last, null, handler);
            pipeline.addBefore(last, null, gate);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
        if (event instanceof SslHandshakeCompletionEvent done) {
            if (done.isSuccess()) {
                shaken(context);
            } else {
                fail(context, words(done.cause()));
            }
        } else if (event instanceof ChannelInputShutdownEvent && !open) {
            fail(context, TlsWords.CLOSED);
        } else {
            super.userEventTriggered(context, event);
        }
    }

    private void shaken(ChannelHandlerContext context) {
        String name = handler.applicationProtocol();
        boolean other = name != null && contexts.others().names().contains(name);
        Optional<TlsIdentity> peer = peer();
        Optional<String> objection = TlsContexts.PROTOCOL.equals(name)
                || other && !contexts.others().isForStrangers(name) ? objection(peer)
                : other ? Optional.empty() : Optional.of("the peer speaks TLS but does not name "
                        + TlsContexts.PROTOCOL + " in it (ALPN): it is not Pageferry");
        if (objection.isPresent()) {
            fail(context, objection.get());
            return;
        }
        peer.ifPresent(identity -> context.channel().attr(IDENTITY).set(identity));
        open = true;
        linger.end();
        if (other) {
            context.fireUserEventTriggered(new Leaving());
            contexts.others().take(context.channel(), name, peer);
        }
    }

    private Optional<TlsIdentity> peer() {
        try {
            return Optional.of(contexts.identity((X509Certificate)
                    handler.engine().getSession().getPeerCertificates()[0]));
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty();
        }
    }

    /** Of a target what a peer can be told behind the preamble alone is looked at there. */
    private Optional<String> objection(Optional<TlsIdentity> peer) {
        if (peer.isEmpty()) {
            return Optional.of("the peer shows no certificate: " + TlsWords.BOTH_OR_NONE);
        }
        if (peer.get().isNameless()) {
            return Optional.of("the peer's certificate names no host (subject alternative names):"
                    + " make another one (pageferry trust issue)");
        }
        if (client && peer.get().isRevoked()) {
            return Optional.of("the certificate of the target " + peer.get().shown()
                    + " was revoked");
        }
        return allowed.isEmpty() || peer.get().isOneOf(allowed) ? Optional.empty()
                : Optional.of("the target is " + peer.get().shown()
                        + ", which --allow-peer does not name");
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object bytes) {
        if (open) {
            context.fireChannelRead(bytes);
        } else {
            ReferenceCountUtil.release(bytes);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        fail(context, words(cause));
    }

    private String words(Throwable cause) {
        return client && linger.isPlain() ? TlsWords.PLAIN : TlsWords.of(cause, client);
    }

    /** Only the first reason is told: what follows is a consequence of it. */
    private void fail(ChannelHandlerContext context, String why) {
        open = false;
        if (!failed) {
            failed = true;
            context.fireExceptionCaught(new IOException(why));
        }
    }
}
