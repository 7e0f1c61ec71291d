package io.pageferry.transport.netty.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.List;

/**
 * Tells by the first byte of a source whether it speaks TLS, and leaves the pipeline. Who does not
 * is let through as far as the preamble: there it can be told why it is refused.
 */
final class TlsOrPlain extends ByteToMessageDecoder {
    /** A record of TLS that is a handshake (RFC 8446 §5.1). */
    private static final int HANDSHAKE = 0x16;

    private final SslContext context;
    private final TlsContexts contexts;
    private final Duration closing;

    /** Takes the context over: it is released here. */
    TlsOrPlain(SslContext context, TlsContexts contexts, Duration closing) {
        this.context = context;
        this.contexts = contexts;
        this.closing = closing;
    }

    @Override
    protected void decode(ChannelHandlerContext handlers, ByteBuf in, List<Object> out) {
        if (in.isReadable()) {
            if (in.getUnsignedByte(in.readerIndex()) == HANDSHAKE) {
                TlsGate.install(handlers.pipeline(), context.newHandler(handlers.alloc()),
                        contexts, false, closing);
            }
            // What has arrived goes on to those behind.
            handlers.pipeline().remove(this);
        }
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext handlers) {
        ReferenceCountUtil.release(context);
    }
}
