package io.pageferry.transport.netty.tls;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import io.pageferry.transport.wire.Preamble;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Closes a connection whose handshake failed only once the peer did too, or after a time. A socket
 * that is closed with bytes unread is reset, and the reset may overtake the alert that says why:
 * a source sends its preamble right behind its certificate. On the IO thread, as the first that
 * sees what comes.
 */
final class TlsLinger extends ChannelDuplexHandler {
    private final Duration closing;
    private boolean shaking = true;
    private boolean lingering;
    private boolean began;
    private boolean plain;

    TlsLinger(Duration closing) {
        this.closing = closing;
    }

    /** The handshake is over: what follows has an end of its own. */
    void end() {
        shaking = false;
    }

    /** Returns whether the peer answers with the preamble of docs/PROTOCOL.md §5. */
    boolean isPlain() {
        return plain;
    }

    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        if (!shaking || !context.channel().isActive()) {
            context.close(promise);
            return;
        }
        context.channel().closeFuture().addListener(closed -> promise.trySuccess());
        if (lingering) {
            return;
        }
        lingering = true;
        context.channel().config().setAutoRead(true);
        context.writeAndFlush(Unpooled.EMPTY_BUFFER)
                .addListener(sent -> ((DuplexChannel) context.channel()).shutdownOutput());
        context.executor().schedule(() -> context.close(), closing.toNanos(),
                TimeUnit.NANOSECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object bytes) {
        if (lingering) {
            ReferenceCountUtil.release(bytes);
            return;
        }
        if (shaking && bytes instanceof ByteBuf in && in.isReadable()) {
            int engine = began ? 0 : HandshakeBytes.ENGINE;
            plain |= !began && in.getByte(in.readerIndex()) == Preamble.FIRST;
            began = true;
            context.fireUserEventTriggered(new HandshakeBytes(engine + in.readableBytes()));
        }
        context.fireChannelRead(bytes);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (lingering && event instanceof ChannelInputShutdownEvent) {
            context.close();
        } else {
            context.fireUserEventTriggered(event);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (lingering) {
            context.close();
        } else {
            context.fireExceptionCaught(cause);
        }
    }
}
