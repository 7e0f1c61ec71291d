package io.pageferry.transport.netty.io;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.TransportKind;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.tls.TlsContexts;
import io.pageferry.transport.netty.tls.TlsException;
import io.pageferry.transport.netty.tls.TlsGate;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Makes the channels of one client or one server, and is the only place that knows what lies
 * between a socket and its frames: nothing, or TLS. With TLS no socket reads into slots, for what
 * it reads is to be decrypted first.
 */
public final class ChannelSetup implements AutoCloseable {
    private final TransportOptions options;
    private final EventLoopGroup loops;
    private final Optional<TlsContexts> tls;
    private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);

    /** How one kind of transport is named in Netty. */
    private record Kind(IoHandlerFactory handlers, Class<? extends SocketChannel> socket,
            Class<? extends ServerSocketChannel> server) {
        static Kind of(TransportKind kind) {
            return switch (kind) {
                case IO_URING -> new Kind(IoUringIoHandler.newFactory(),
                        IoUringSocketChannel.class, IoUringServerSocketChannel.class);
                case EPOLL -> new Kind(EpollIoHandler.newFactory(),
                        EpollSocketChannel.class, EpollServerSocketChannel.class);
                case NIO -> new Kind(NioIoHandler.newFactory(),
                        NioSocketChannel.class, NioServerSocketChannel.class);
            };
        }
    }

    private ChannelSetup(TransportOptions options, boolean client) {
        this.options = options;
        this.tls = options.security().tls().map(wanted -> new TlsContexts(wanted, client));
        this.loops = new MultiThreadIoEventLoopGroup(options.ioThreads(),
                new DefaultThreadFactory(client ? "pageferry-source-io" : "pageferry-target-io",
                        true), Kind.of(options.kind()).handlers());
    }

    /**
     * Starts the IO threads of a side that connects.
     *
     * @param options settings
     * @return the setup
     */
    public static ChannelSetup ofSource(TransportOptions options) {
        return new ChannelSetup(options, true);
    }

    /**
     * Starts the IO threads of a side that listens.
     *
     * @param options settings
     * @return the setup
     */
    public static ChannelSetup ofTarget(TransportOptions options) {
        return new ChannelSetup(options, false);
    }

    /** {@return the settings} */
    public TransportOptions options() {
        return options;
    }

    /** {@return the IO thread of a connection to be made, each in its turn} */
    EventLoop nextLoop() {
        return loops.next();
    }

    /**
     * Makes ready what connections will be made with; call it before a guest or a peer waits.
     *
     * @throws TransportException when the files of TLS cannot be used
     */
    public void prime() throws TransportException {
        try {
            if (tls.isPresent()) {
                tls.get().prime();
            }
        } catch (TlsException e) {
            throw new TransportException(ErrorCode.HOST_FAILED, e.getMessage(), e);
        }
    }

    /** Begins to connect; {@code failed} gets the reason on the IO thread if it cannot. */
    void connect(InetSocketAddress address, EventLoop loop, FrameDecoder decoder,
            Consumer<String> failed) {
        new Bootstrap().group(loop).channel(Kind.of(options.kind()).socket())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.min(
                        Integer.MAX_VALUE, options.lossAfter().toMillis()))
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) throws TlsException {
                        if (tls.isPresent()) {
                            TlsGate.connect(channel, tls.get(), address.getHostString(),
                                    address.getPort(), options.closing());
                        }
                        install(channel, decoder);
                    }

                    @Override
                    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                        failed.accept(cause.getMessage());
                        context.close();
                    }
                })
                .connect(address)
                .addListener(done -> {
                    if (!done.isSuccess()) {
                        failed.accept(reason(done.cause()));
                    }
                });
    }

    private static String reason(Throwable cause) {
        return switch (cause) {
            case UnknownHostException e -> "unknown host";
            case ConnectException e -> String.valueOf(e.getMessage());
            default -> cause.toString();
        };
    }

    /**
     * Listens on an address.
     *
     * @param address where; port 0 lets the host choose
     * @param accept  makes the connection of a channel, on its IO thread, and gives its decoder
     * @return the listening channel
     * @throws TransportException when the address is not available
     */
    public Channel listen(InetSocketAddress address,
            Function<SocketChannel, FrameDecoder> accept) throws TransportException {
        ChannelFuture bound = new ServerBootstrap().group(loops)
                .channel(Kind.of(options.kind()).server())
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        FrameDecoder decoder = accept.apply(channel);
                        install(channel, decoder);
                        lay(channel, decoder);
                    }
                })
                .bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new TransportException(ErrorCode.HOST_FAILED, "cannot listen on "
                    + text(address) + ": " + bound.cause().getMessage(), bound.cause());
        }
        return bound.channel();
    }

    /** Prepares what an accepted socket reads: it goes into slots, or is decrypted first. */
    private void lay(SocketChannel channel, FrameDecoder decoder) {
        if (tls.isEmpty()) {
            channel.config().setRecvByteBufAllocator(decoder.reads());
            return;
        }
        try {
            TlsGate.accept(channel, tls.get(), options.closing());
        } catch (TlsException e) {
            decoder.exceptionCaught(channel.pipeline().context(decoder), e);
        }
    }

    /** {@return one line that is to be logged, once; empty where there is none; any thread} */
    public Optional<String> pollNotice() {
        return tls.flatMap(TlsContexts::pollNotice);
    }

    private void install(SocketChannel channel, FrameDecoder decoder) {
        channels.add(channel);
        options.capture().ifPresent(sink -> channel.pipeline().addLast(new CaptureHandler(sink)));
        channel.pipeline().addLast(decoder);
    }

    /**
     * Ends this side's output; those of the peer are still read. With TLS, too, by the socket
     * alone: at a close_notify BoringSSL ends both directions, and what the peer had queued, which
     * may decide who owns a guest, would be lost. No end of a connection decides anything, so
     * nothing is won by who forges one: docs/PROTOCOL.md §12.
     */
    void endOutput(Channel channel) {
        ((DuplexChannel) channel).shutdownOutput();
    }

    /**
     * Names an address as people do.
     *
     * @param address resolved or not
     * @return host and port
     */
    public static String text(InetSocketAddress address) {
        return address.getHostString() + ":" + address.getPort();
    }

    /** Ends every connection; waits for that within the closing limit. */
    @Override
    public void close() {
        // A link that was closed still flushes, and then closes by itself.
        long millis = options.closing().toMillis();
        channels.newCloseFuture().awaitUninterruptibly(millis);
        channels.close().awaitUninterruptibly(millis);
        loops.shutdownGracefully(0, millis, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(2 * millis);
        tls.ifPresent(TlsContexts::close);
    }
}
