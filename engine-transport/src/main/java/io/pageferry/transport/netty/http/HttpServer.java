package io.pageferry.transport.netty.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.http.HttpCall.Caller;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Listens for HTTP/1.1 on a unix socket or the loopback, on an IO thread of its own. Handlers run in the pool of
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
    private Channel listening;

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
        this(service);
        bind(new ServerBootstrap().channel(EpollServerDomainSocketChannel.class)
                .childHandler(new Accepted()), new DomainSocketAddress(address.toString()),
                "unix:" + address);
    }

    /**
     * Listens on this host's loopback, where nobody can tell who calls: the service's handler has
     * to find out itself. Each caller has user and group −1.
     *
     * @param address of the loopback; port 0 lets the host choose
     * @param service what is served
     * @throws TransportException when the address is not available
     */
    public HttpServer(InetSocketAddress address, HttpService service) throws TransportException {
        this(service);
        if (!address.getAddress().isLoopbackAddress()) {
            throw new IllegalArgumentException(address + " is not of the loopback");
        }
        bind(new ServerBootstrap().channel(EpollServerSocketChannel.class)
                .childHandler(new Browsers()), address, address.toString());
    }

    private HttpServer(HttpService service) {
        this.service = service;
        this.pipeline = new HttpPipeline(service);
    }

    private void bind(ServerBootstrap server, SocketAddress address, String name)
            throws TransportException {
        ChannelFuture bound = server.group(loops)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            close();
            throw new TransportException(ErrorCode.HOST_FAILED, "cannot listen on " + name
                    + ": " + bound.cause().getMessage(), bound.cause());
        }
        listening = bound.channel();
        channels.add(listening);
    }

    /** {@return the port, of one on the loopback} */
    public int port() {
        return ((InetSocketAddress) listening.localAddress()).getPort();
    }

    private final class Browsers extends ChannelInitializer<EpollSocketChannel> {
        @Override
        protected void initChannel(EpollSocketChannel channel) {
            channels.add(channel);
            pipeline.install(channel, Optional.of(new Caller(-1, -1, "")));
        }
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
