package io.pageferry.transport.netty;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.transport.TransportException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Opens links to targets, any number one after another or at once. For any thread. */
public final class TransportClient implements AutoCloseable {
    private final TransportOptions options;
    private final EventLoopGroup group;
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);

    /**
     * Starts the IO threads.
     *
     * @param options settings
     */
    public TransportClient(TransportOptions options) {
        this.options = options;
        this.group = new MultiThreadIoEventLoopGroup(options.ioThreads(),
                threads("pageferry-source-io"), options.kind().handlers());
    }

    TransportOptions options() {
        return options;
    }

    /**
     * Opens a control connection and agrees on a version. Waits; call it before a guest waits.
     *
     * @param address the target's; an unresolved one is resolved here
     * @param timeout for all of it
     * @return the link, up, now the caller's to poll and close
     * @throws TransportException when the target was not reached, is not Pageferry or speaks other
     *                            versions
     */
    public NettySourceLink connect(InetSocketAddress address, Duration timeout)
            throws TransportException {
        NettySourceLink link = new NettySourceLink(this, address);
        open(link.control(), address);
        try {
            link.opening().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            return link;
        } catch (TimeoutException e) {
            link.close();
            throw new TransportException(ErrorCode.LINK_LOST, text(address)
                    + ": no answer within " + timeout.toMillis() + " ms", e);
        } catch (InterruptedException e) {
            link.close();
            Thread.currentThread().interrupt();
            throw new TransportException(ErrorCode.CANCELLED,
                    text(address) + ": interrupted while connecting", e);
        } catch (ExecutionException e) {
            link.close();
            ErrorCode code = e.getCause() instanceof TransportException known
                    ? known.code() : ErrorCode.INTERNAL;
            throw new TransportException(code,
                    text(address) + ": " + e.getCause().getMessage(), e.getCause());
        }
    }

    /**
     * Begins to open a control connection and does not wait for it. Messages may be sent at once;
     * when the target is not reached the link is lost.
     *
     * @param address the target's; an unresolved one is resolved on an IO thread
     * @return the link, now the caller's to poll and close
     */
    public NettySourceLink dial(InetSocketAddress address) {
        NettySourceLink link = new NettySourceLink(this, address);
        open(link.control(), address);
        return link;
    }

    /** Begins to open a connection; its owner hears how it went. */
    void open(FrameConnection connection, InetSocketAddress address) {
        ChannelFuture future = new Bootstrap().group(group).channel(options.kind().socket())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.min(
                        Integer.MAX_VALUE, options.lossAfter().toMillis()))
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        connections.add(channel);
                        channel.pipeline().addLast(new FrameDecoder(connection));
                    }
                })
                .connect(address);
        future.addListener(done -> {
            if (!done.isSuccess()) {
                connection.unreached(reason(done.cause()));
            }
        });
    }

    private static String reason(Throwable cause) {
        return switch (cause) {
            case UnknownHostException unknown -> "unknown host";
            case ConnectException refused -> String.valueOf(refused.getMessage());
            default -> cause.toString();
        };
    }

    /** Ends every link that is still open; waits for that within the closing limit. */
    @Override
    public void close() {
        shutDown(group, connections, options);
    }

    static void shutDown(EventLoopGroup group, ChannelGroup connections,
            TransportOptions options) {
        // A link that was closed still flushes, and then closes by itself.
        long millis = options.closing().toMillis();
        connections.newCloseFuture().awaitUninterruptibly(millis);
        connections.close().awaitUninterruptibly(millis);
        group.shutdownGracefully(0, millis, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(2 * millis);
    }

    static ThreadFactory threads(String name) {
        return new DefaultThreadFactory(name, true);
    }

    static String text(InetSocketAddress address) {
        return address.getHostString() + ":" + address.getPort();
    }
}
