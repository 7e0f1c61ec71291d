package io.pageferry.transport.netty.link;

import io.netty.channel.Channel;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.io.ChannelSetup;
import io.pageferry.transport.netty.io.ConnectionListener;
import io.pageferry.transport.netty.io.ConnectionRole;
import io.pageferry.transport.netty.io.FrameConnection;
import io.pageferry.transport.netty.io.FrameDecoder;
import io.pageferry.transport.netty.io.PeerSocket;
import io.pageferry.transport.netty.tls.TlsContexts.OtherProtocols;
import io.pageferry.transport.netty.tls.TlsIdentity;
import io.pageferry.transport.netty.tls.TlsOptions;
import io.pageferry.transport.wire.WireException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Listens for sources. A connection becomes a link when it opens with HELLO, RESUME or STATUS, a
 * data channel of the session whose token it shows, or is refused; nothing of the latter disturbs
 * a session. Any thread may call any method.
 */
public final class TransportServer implements AutoCloseable {
    private final ChannelSetup setup;
    private final Consumer<String> refusals;
    private final PendingConnections pending;
    private final ArrayBlockingQueue<PendingLink> accepted;
    private final List<NettyTargetLink> sessions = new CopyOnWriteArrayList<>();
    private final Channel listener;
    private volatile Runnable arrival = () -> { };

    /**
     * Listens on an address.
     *
     * @param options  settings
     * @param address  where: of TCP, port 0 lets the host choose; or of a unix socket, whose file
     *                 is made, and is the caller's to delete
     * @param refusals gets one line for each connection that was refused, on an IO thread
     * @throws TransportException when the address is not available, or a file of TLS is not
     */
    public TransportServer(TransportOptions options, SocketAddress address,
            Consumer<String> refusals) throws TransportException {
        this(options, address, refusals, OtherProtocols.none());
    }

    /**
     * Listens on an address, for others too.
     *
     * @param options  settings
     * @param address  as above
     * @param refusals as above
     * @param others   protocols that are served besides, with TLS
     * @throws TransportException as above
     */
    public TransportServer(TransportOptions options, SocketAddress address,
            Consumer<String> refusals, OtherProtocols others) throws TransportException {
        this.setup = ChannelSetup.ofTarget(options, others);
        this.refusals = refusals;
        this.pending = new PendingConnections(options.maxPending());
        this.accepted = new ArrayBlockingQueue<>(options.maxPending());
        try {
            setup.prime();
            this.listener = setup.listen(address, this::accept);
        } catch (TransportException e) {
            setup.close();
            throw e;
        }
    }

    /** {@return where on TCP it listens, with the real port} */
    public InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    /**
     * Gives a new link, whose first message waits in it.
     *
     * @return the link, now the caller's to poll and close, or null when there is none
     */
    public TargetLink pollAccepted() {
        PendingLink next = accepted.poll();
        if (next == null) {
            return null;
        }
        pending.remove(next);
        return next.link;
    }

    /**
     * Has something run whenever a link waits, in place of what was before.
     *
     * @param then returns at once; on an IO thread
     */
    public void onAccepted(Runnable then) {
        arrival = then;
    }

    /** {@return one line that is to be logged, once; empty where there is none} */
    public Optional<String> pollNotice() {
        return setup.pollNotice();
    }

    /** Stops listening and ends every connection; waits for that within the closing limit. */
    @Override
    public void close() {
        listener.close().awaitUninterruptibly();
        TargetLink link;
        while ((link = pollAccepted()) != null) {
            link.close();
        }
        setup.close();
    }

    private FrameDecoder accept(Channel channel) {
        FrameConnection connection = FrameConnection.accepted(setup, channel.eventLoop());
        PendingLink link = new PendingLink(connection, channel);
        connection.tell(link);
        pending.add(link);
        return connection.decoder();
    }

    /** A connection that proved nothing yet; as a link it waits to be polled. */
    private final class PendingLink implements ConnectionListener, PendingConnections.Pending {
        private final FrameConnection connection;
        private final PeerSocket peer;
        private volatile NettyTargetLink link;
        private volatile boolean silent = true;

        PendingLink(FrameConnection connection, Channel channel) {
            this.connection = connection;
            this.peer = PeerSocket.of(channel);
        }

        @Override
        public Object origin() {
            return peer.origin();
        }

        @Override
        public boolean isSilent() {
            return silent;
        }

        /** One that waits as a link takes no place among those that wait with it. */
        @Override
        public void makeWay(String why) {
            accepted.remove(this);
            connection.drop(why);
        }

        /** The first moment at which a peer can be told why. */
        @Override
        public void ready() throws WireException {
            silent = false;
            Optional<TlsOptions> tls = setup.options().security().tls();
            if (tls.isEmpty()) {
                return;
            }
            TlsIdentity identity = connection.identity().orElseThrow(() -> new WireException(
                    ErrorCode.PROTOCOL_VIOLATION, "peer", "the target expects TLS: give --tls-cert,"
                    + " --tls-key and --tls-ca"));
            if (identity.isRevoked()) {
                throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "peer", "the certificate of "
                        + identity.shown() + " was revoked");
            }
            Set<String> allowed = tls.get().allowed();
            if (!allowed.isEmpty() && !identity.isOneOf(allowed)) {
                throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "peer", identity.shown()
                        + " is not let in here (--allow-peer)");
            }
        }

        @Override
        public void left() {
            pending.remove(this);
        }

        @Override
        public void grows(int bytes) {
            pending.take(this, bytes);
        }

        @Override
        public boolean message(Message message) throws WireException {
            if (!(message instanceof Message.Failure)) {
                admit();
            }
            switch (message) {
                case Message.ChannelHello hello -> {
                    sessionOf(hello).attach(connection, hello);
                    pending.remove(this);
                }
                case Message.Hello hello -> accept(hello);
                case Message.Resume resume -> accept(resume);
                case Message.Status status -> accept(status);
                case Message.Failure failure -> {
                    return true;
                }
                default -> throw connection.misplaced(message);
            }
            return true;
        }

        /** Not earlier: of a socket that closes the kernel does not tell whose it is. */
        private void admit() throws WireException {
            if (connection.identity().isEmpty()) {
                Optional<String> objection =
                        peer.objection(setup.options().security().admission());
                if (objection.isPresent()) {
                    throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "peer",
                            objection.get());
                }
            }
        }

        private void accept(Message first) throws WireException {
            link = new NettyTargetLink(sessions, connection, first);
            connection.identified(ConnectionRole.CONTROL);
            while (!accepted.offer(this)) {
                PendingLink oldest = accepted.poll();
                if (oldest != null) {
                    pending.remove(oldest);
                    oldest.makeWay("too many wait here");
                }
            }
            arrival.run();
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
            if (!found.peerIdentity().equals(connection.identity().map(TlsIdentity::text))) {
                throw new WireException(ErrorCode.PROTOCOL_VIOLATION, "token",
                        "its session belongs to another peer");
            }
            return found;
        }

        @Override
        public void ended(ErrorCode code, String reason) {
            pending.remove(this);
            refusals.accept(peer + ": " + reason);
        }
    }
}
