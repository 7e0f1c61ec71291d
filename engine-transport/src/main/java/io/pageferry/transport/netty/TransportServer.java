package io.pageferry.transport.netty;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.wire.WireException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Listens for sources. A connection becomes a link when it opens with HELLO, RESUME or STATUS, a
 * data channel of the session whose token it shows, or is refused; nothing of the latter disturbs
 * a session. Any thread may call any method.
 */
public final class TransportServer implements AutoCloseable {
    private final TransportOptions options;
    private final Consumer<String> refusals;
    private final EventLoopGroup group;
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final AtomicInteger pending = new AtomicInteger();
    private final ArrayBlockingQueue<NettyTargetLink> accepted;
    private final List<NettyTargetLink> sessions = new CopyOnWriteArrayList<>();
    private final Channel listener;

    /**
     * Listens.
     *
     * @param options  settings
     * @param address  where; port 0 lets the host choose
     * @param refusals told in one line of each connection that was refused, on an IO thread
     * @throws TransportException when the address cannot be had
     */
    public TransportServer(TransportOptions options, InetSocketAddress address,
            Consumer<String> refusals) throws TransportException {
        this.options = options;
        this.refusals = refusals;
        this.accepted = new ArrayBlockingQueue<>(options.maxPending());
        this.group = new MultiThreadIoEventLoopGroup(options.ioThreads(),
                TransportClient.threads("pageferry-target-io"), options.kind().handlers());
        ChannelFuture bound = new ServerBootstrap().group(group).channel(options.kind().server())
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new Accepting()).bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            throw new TransportException(ErrorCode.HOST_FAILED, "cannot listen on "
                    + TransportClient.text(address) + ": " + bound.cause().getMessage(),
                    bound.cause());
        }
        this.listener = bound.channel();
    }

    /** {@return where it listens, with the real port} */
    public InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    /**
     * Gives a new link, whose first message waits in it.
     *
     * @return the link, now the caller's to poll and close, or null when there is none
     */
    public TargetLink pollAccepted() {
        return accepted.poll();
    }

    void register(NettyTargetLink link) {
        sessions.add(link);
    }

    void forget(NettyTargetLink link) {
        sessions.remove(link);
    }

    /** Stops listening and ends every connection; waits for that within the closing limit. */
    @Override
    public void close() {
        listener.close().awaitUninterruptibly();
        NettyTargetLink link;
        while ((link = accepted.poll()) != null) {
            link.close();
        }
        TransportClient.shutDown(group, connections, options);
    }

    /** Makes connections of what was accepted. */
    private final class Accepting extends ChannelInitializer<SocketChannel> {
        @Override
        protected void initChannel(SocketChannel channel) {
            if (pending.incrementAndGet() > options.maxPending()) {
                pending.decrementAndGet();
                refusals.accept(channel.remoteAddress() + ": too many connections at once");
                channel.close();
                return;
            }
            connections.add(channel);
            FrameConnection connection = new FrameConnection(options, false);
            PendingLink arriving = new PendingLink(channel.remoteAddress());
            connection.hand(arriving);
            FrameDecoder decoder = new FrameDecoder(connection);
            channel.config().setRecvByteBufAllocator(decoder.reads());
            channel.pipeline().addLast(decoder);
        }
    }

    /** A connection that has not said yet what it is for. */
    private final class PendingLink implements FrameConnection.Owner {
        private final InetSocketAddress peer;

        PendingLink(InetSocketAddress peer) {
            this.peer = peer;
        }

        @Override
        public void ready(FrameConnection connection) {
            // It speaks first.
        }

        @Override
        public boolean message(FrameConnection connection, Message message)
                throws WireException {
            switch (message) {
                case Message.ChannelHello hello -> sessionOf(hello).attach(connection, hello);
                case Message.Hello hello -> accept(connection, hello);
                case Message.Resume resume -> accept(connection, resume);
                case Message.Status status -> accept(connection, status);
                case Message.Failure failure -> {
                    return true;
                }
                default -> throw NettyLink.misplaced(message.getClass().getSimpleName());
            }
            connection.settled();
            pending.decrementAndGet();
            return true;
        }

        private void accept(FrameConnection connection, Message first) throws WireException {
            if (accepted.remainingCapacity() == 0) {
                throw new WireException(ErrorCode.BUSY, "connection", "too many wait here");
            }
            NettyTargetLink link = new NettyTargetLink(TransportServer.this, connection, first);
            if (!accepted.offer(link)) {
                connection.hand(this);
                throw new WireException(ErrorCode.BUSY, "connection", "too many wait here");
            }
        }

        private NettyTargetLink sessionOf(Message.ChannelHello hello) throws WireException {
            NettyTargetLink found = null;
            for (NettyTargetLink session : sessions) {
                if (session.holds(hello.token())) {
                    found = session;
                }
            }
            if (found == null) {
                throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "token",
                        "it belongs to no session here");
            }
            return found;
        }

        @Override
        public void ended(FrameConnection connection, ErrorCode code, String reason) {
            pending.decrementAndGet();
            refusals.accept(peer + ": " + reason);
        }
    }
}
