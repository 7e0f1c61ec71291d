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
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.TransportKind;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.tls.TlsContexts.OtherProtocols;
import io.pageferry.transport.netty.tls.TlsContexts;
import io.pageferry.transport.netty.tls.TlsException;
import io.pageferry.transport.netty.tls.TlsGate;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
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
    private final OtherProtocols others;
    private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);

    /** How one kind of transport is named in Netty. */
    private record Kind(IoHandlerFactory handlers, Class<? extends Channel> socket,
            Class<? extends ServerChannel> server) {
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

        /** A unix socket that is half-closed, and tells whose its peer is, is epoll's alone. */
        static Kind of(TransportOptions options, SocketAddress address) {
            if (!isUnix(address)) {
                return of(options.kind());
            }
            if (options.kind() != TransportKind.EPOLL || options.security().tls().isPresent()) {
                throw new IllegalArgumentException("a unix socket goes by epoll, without TLS");
            }
            return new Kind(EpollIoHandler.newFactory(), EpollDomainSocketChannel.class,
                    EpollServerDomainSocketChannel.class);
        }
    }

    private ChannelSetup(TransportOptions options, boolean client, OtherProtocols others) {
        this.options = options;
        this.others = others;
        this.tls = options.security().tls().map(wanted -> client ? TlsContexts.ofSource(wanted)
                : TlsContexts.ofTarget(wanted, others));
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
        return new ChannelSetup(options, true, OtherProtocols.none());
    }

    /**
     * Starts the IO threads of a side that listens.
     *
     * @param options settings
     * @param others  protocols that it serves besides, with TLS
     * @return the setup
     */
    public static ChannelSetup ofTarget(TransportOptions options, OtherProtocols others) {
        return new ChannelSetup(options, false, others);
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
    void connect(SocketAddress address, EventLoop loop, FrameDecoder decoder,
            Consumer<String> failed) {
        Bootstrap bootstrap = new Bootstrap().group(loop)
                .channel(Kind.of(options, address).socket());
        if (!isUnix(address)) {
            bootstrap.option(ChannelOption.TCP_NODELAY, true);
        }
        ChannelFuture connected = bootstrap.option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.min(
                        Integer.MAX_VALUE, options.lossAfter().toMillis()))
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) throws TlsException {
                        if (tls.isPresent()) {
                            InetSocketAddress target = (InetSocketAddress) address;
                            TlsGate.connect(channel, tls.get(), target.getHostString(),
                                    target.getPort(), options.closing());
                        }
                        install(channel, decoder);
                    }

                    @Override
                    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                        failed.accept(cause.getMessage());
                        context.close();
                    }
                })
                .connect(nettys(address));
        connected.addListener(done -> {
            if (!done.isSuccess()) {
                failed.accept(reason(done.cause()));
            } else if (isUnix(address)) {
                // Before the connection hears that it is open: not a byte goes to a wrong target.
                PeerSocket.of(connected.channel()).objection(options.security().admission())
                        .ifPresent(failed);
            }
        });
    }

    private static boolean isUnix(SocketAddress address) {
        return address instanceof UnixDomainSocketAddress;
    }

    private static SocketAddress nettys(SocketAddress address) {
        return isUnix(address) ? new DomainSocketAddress(address.toString()) : address;
    }

    private static String reason(Throwable cause) {
        return switch (cause) {
            case UnknownHostException e -> "unknown host";
            // Of a unix socket, and without a message.
            case FileNotFoundException e -> "there is no such socket, so that nobody listens there";
            case IOException e -> String.valueOf(e.getMessage());
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
    public Channel listen(SocketAddress address,
            Function<Channel, FrameDecoder> accept) throws TransportException {
        ServerBootstrap bootstrap = new ServerBootstrap().group(loops)
                .channel(Kind.of(options, address).server());
        if (!isUnix(address)) {
            bootstrap.option(ChannelOption.SO_REUSEADDR, true)
                    .childOption(ChannelOption.TCP_NODELAY, true);
        }
        ChannelFuture bound = bootstrap.childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        FrameDecoder decoder = accept.apply(channel);
                        install(channel, decoder);
                        lay(channel, decoder);
                    }
                })
                .bind(nettys(address)).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new TransportException(ErrorCode.HOST_FAILED, "cannot listen on "
                    + text(address) + ": " + bound.cause().getMessage(), bound.cause());
        }
        return bound.channel();
    }

    /** Prepares what an accepted socket reads: it goes into slots, or is decrypted first. */
    private void lay(Channel channel, FrameDecoder decoder) {
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

    private void install(Channel channel, FrameDecoder decoder) {
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
     * @param address of TCP, resolved or not, or of a unix socket
     * @return its text
     */
    public static String text(SocketAddress address) {
        return address instanceof InetSocketAddress tcp
                ? tcp.getHostString() + ":" + tcp.getPort() : "unix:" + address;
    }

    private void settle(long millis) {
        loops.forEach(loop -> loop.submit(() -> { }).awaitUninterruptibly(millis));
    }

    /** Ends every connection; waits for that within the closing limit. */
    @Override
    public void close() {
        // A link that was closed still flushes, and then closes by itself.
        long millis = options.closing().toMillis();
        channels.newCloseFuture().awaitUninterruptibly(millis);
        channels.close().awaitUninterruptibly(millis);
        // Handlers of a closed channel are taken away one by one, each by its own thread: those of
        // TLS free memory that is not the heap's, and would not where their thread had ended.
        if (!loops.isShuttingDown()) {
            settle(millis);
            others.settle(millis);
            settle(millis);
        }
        loops.shutdownGracefully(0, millis, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(2 * millis);
        tls.ifPresent(TlsContexts::close);
    }
}
