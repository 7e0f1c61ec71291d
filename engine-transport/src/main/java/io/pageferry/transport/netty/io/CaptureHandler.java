package io.pageferry.transport.netty.io;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.pageferry.transport.netty.CaptureSink;
import io.pageferry.transport.netty.tls.TlsGate;

/** Shows a sink what goes over one connection, right before the decoder; on its IO thread. */
final class CaptureHandler extends ChannelDuplexHandler {
    private final CaptureSink sink;
    private int connection;
    private boolean closed;

    CaptureHandler(CaptureSink sink) {
        this.sink = sink;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        connection = sink.opened();
        context.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object bytes) {
        ByteBuf in = (ByteBuf) bytes;
        if (in.isReadable()) {
            sink.received(connection, in.nioBuffer());
        }
        context.fireChannelRead(bytes);
    }

    @Override
    public void write(ChannelHandlerContext context, Object bytes, ChannelPromise promise) {
        ByteBuf out = (ByteBuf) bytes;
        // What is queued when the socket is gone goes nowhere.
        if (out.isReadable() && !closed) {
            sink.sent(connection, out.nioBuffer());
        }
        context.write(bytes, promise);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            sink.inputEnded(connection);
        }
        context.fireUserEventTriggered(event);
        if (event instanceof TlsGate.Leaving) {
            sink.closed(connection);
            context.pipeline().remove(this);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        closed = true;
        sink.closed(connection);
        context.fireChannelInactive();
    }
}
