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
    private final boolean client;
    /** Of a source; a target asks once the preambles are exchanged, to tell the peer. */
    private final Set<String> allowed;
    private final TlsLinger linger;
    private boolean open;
    private boolean failed;

    private TlsGate(SslHandler handler, Set<String> allowed, TlsLinger linger) {
        this.handler = handler;
        this.client = allowed != null;
        this.allowed = client ? allowed : Set.of();
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
            install(channel.pipeline(), handler, contexts.options().allowed(), closing);
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
                new TlsOrPlain(context, closing));
    }

    /** Adds what TLS consists of; {@code allowed} is what a source allows, null at a target. */
    static void install(ChannelPipeline pipeline, SslHandler handler, Set<String> allowed,
            Duration closing) {
        // The limit for preamble and first message covers the handshake too.
        handler.setHandshakeTimeoutMillis(0);
        handler.setCloseNotifyFlushTimeoutMillis(Math.max(1, closing.toMillis()));
        TlsLinger linger = new TlsLinger(closing);
        TlsGate gate = new TlsGate(handler, allowed, linger);
        if (allowed != null) {
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

    private void shaken(ChannelHandlerContext context) throws SSLPeerUnverifiedException {
        if (!TlsContexts.PROTOCOL.equals(handler.applicationProtocol())) {
            fail(context, "the peer speaks TLS but does not name " + TlsContexts.PROTOCOL
                    + " in it (ALPN): it is not Pageferry");
            return;
        }
        X509Certificate peer =
                (X509Certificate) handler.engine().getSession().getPeerCertificates()[0];
        TlsIdentity identity = TlsIdentity.of(peer);
        if (identity.isNameless()) {
            fail(context, "the peer's certificate names no host (subject alternative names): make"
                    + " another one (pageferry trust issue)");
            return;
        }
        if (!allowed.isEmpty() && !identity.isOneOf(allowed)) {
            fail(context, "the target is " + identity.shown() + ", which --allow-peer does not"
                    + " name");
            return;
        }
        context.channel().attr(IDENTITY).set(identity);
        open = true;
        linger.end();
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
