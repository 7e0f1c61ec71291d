package io.pageferry.transport.netty.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.transport.TransportException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.util.concurrent.TimeUnit;

/**
 * Listens for HTTP/1.1 on a unix socket, on an IO thread of its own. Handlers run in the pool of
 * its {@link HttpService}. Any thread may call any method.
 */
public final class HttpServer implements AutoCloseable {
    private static final int BACKLOG = HttpLimits.CONNECTIONS;
    private static final long CLOSING_MILLIS = 1000;

    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1,
            new DefaultThreadFactory("pageferry-api-io", true), EpollIoHandler.newFactory());
    private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final HttpService service;
    private final HttpPipeline pipeline;

    /**
     * Listens on a unix socket.
     *
     * @param address where; its file is made, in place of what is there, and is the caller's to
     *                give rights to and to delete
     * @param service what is served
     * @throws TransportException when the address is not available
     */
    public HttpServer(UnixDomainSocketAddress address, HttpService service)
            throws TransportException {
        this.service = service;
        this.pipeline = new HttpPipeline(service);
        ChannelFuture bound = new ServerBootstrap().group(loops)
                .channel(EpollServerDomainSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new Accepted())
                .bind(new DomainSocketAddress(address.toString())).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            close();
            throw new TransportException(ErrorCode.HOST_FAILED, "cannot listen on unix:" + address
                    + ": " + bound.cause().getMessage(), bound.cause());
        }
        channels.add(bound.channel());
    }

    private final class Accepted extends ChannelInitializer<EpollDomainSocketChannel> {
        @Override
        protected void initChannel(EpollDomainSocketChannel channel) throws IOException {
            channels.add(channel);
            pipeline.install(channel, UnixCaller.admit(channel, service.admitted()));
        }

        /** The peer is gone already, or nobody can tell who it is. */
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }

    /** Stops listening and ends every connection; waits for that. Idempotent. */
    @Override
    public void close() {
        channels.close().awaitUninterruptibly(CLOSING_MILLIS);
        loops.shutdownGracefully(0, CLOSING_MILLIS, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(2 * CLOSING_MILLIS);
    }
}
