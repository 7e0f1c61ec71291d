package io.pageferry.agent.link;

import io.pageferry.agent.host.linux.SocketFile;
import io.pageferry.core.link.LinkAcceptor;
import io.pageferry.core.link.TargetLink;
import io.pageferry.transport.netty.CaptureSink;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportServer;
import io.pageferry.transport.netty.tls.TlsContexts.OtherProtocols;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.Optional;
import java.util.function.Consumer;
import org.agrona.concurrent.SystemNanoClock;

/** Where sources come to a target. */
public interface Listener {
    /** {@return what carries the bytes, as reports name it} */
    String transport();

    /** {@return whether it speaks TLS, with every source} */
    default boolean tls() {
        return false;
    }

    /**
     * Opens this listener.
     *
     * @param refusals gets one line for each connection that was refused, on any thread
     * @return it, open; the caller's to close
     * @throws IOException when it cannot be opened
     */
    Open open(Consumer<String> refusals) throws IOException;

    /** An open listener. */
    interface Open extends LinkAcceptor, AutoCloseable {
        /** {@return where it is, with the real port; empty for one that has no address} */
        Optional<SocketAddress> address();

        /** {@return one line that is to be logged, once; empty where there is none} */
        default Optional<String> notice() {
            return Optional.empty();
        }

        /**
         * Has something run whenever a link waits to be accepted, so that nobody has to look.
         *
         * @param then returns at once; on any thread
         * @return whether it will be; where not, somebody has to look all the time
         */
        default boolean onArrival(Runnable then) {
            return false;
        }

        /** Lets no source in any more, and ends links that were not taken. Idempotent. */
        @Override
        void close();
    }

    /**
     * At an address, for sources that speak docs/PROTOCOL.md. Without TLS, those of this host must
     * be of this process's user or root.
     *
     * @param listen where: of TCP, port 0 lets the host choose; or of a unix socket, whose file is
     *               there while it listens
     * @param tls    how TLS is used; empty where it is off
     * @return the listener
     */
    static Listener at(SocketAddress listen, Optional<TlsOptions> tls) {
        return at(listen, PeerTrust.of(tls), Optional.empty());
    }

    /**
     * The same, with a secret perhaps, and with somebody who looks on.
     *
     * @param listen  as above
     * @param trust   how a source shows that it belongs
     * @param capture is shown all that goes over the connections
     * @return the listener
     */
    static Listener at(SocketAddress listen, PeerTrust trust, Optional<CaptureSink> capture) {
        return at(listen, trust, capture, OtherProtocols.none());
    }

    /**
     * The same, and for others than sources too.
     *
     * @param listen  as above
     * @param trust   as above
     * @param capture as above
     * @param others  protocols that it serves besides, on TCP with TLS
     * @return the listener
     */
    static Listener at(SocketAddress listen, PeerTrust trust, Optional<CaptureSink> capture,
            OtherProtocols others) {
        TransportOptions options = TransportOptions.defaults(SystemNanoClock.INSTANCE)
                .withKindFor(listen).withSecurity(trust.security()).withCapture(capture);
        return new Listener() {
            @Override
            public boolean tls() {
                return trust.tls().isPresent();
            }

            @Override
            public String transport() {
                return SocketConnector.nameOf(options);
            }

            @Override
            public Open open(Consumer<String> refusals) throws IOException {
                return listen instanceof UnixDomainSocketAddress unix
                        ? ListeningUnix.open(unix, options, refusals)
                        : new Listening(new TransportServer(options, listen, refusals,
                                others));
            }
        };
    }

    /**
     * By links that an embedder accepts.
     *
     * @param acceptor the embedder's; never closed here
     * @return the listener
     */
    static Listener own(LinkAcceptor acceptor) {
        return new Listener() {
            @Override
            public String transport() {
                return EmbeddedConnector.NAME;
            }

            @Override
            public Open open(Consumer<String> refusals) {
                return new Own(acceptor);
            }
        };
    }

    /** A listening TCP socket. */
    record Listening(TransportServer server) implements Open {
        @Override
        public Optional<SocketAddress> address() {
            return Optional.of(server.address());
        }

        @Override
        public Optional<TargetLink> accept() {
            return Optional.ofNullable(server.pollAccepted());
        }

        @Override
        public Optional<String> notice() {
            return server.pollNotice();
        }

        @Override
        public boolean onArrival(Runnable then) {
            server.onAccepted(then);
            return true;
        }

        @Override
        public void close() {
            server.close();
        }
    }

    /** A listening unix socket, and its file. */
    record ListeningUnix(Listening socket, SocketAddress at, SocketFile file) implements Open {
        static Open open(UnixDomainSocketAddress at, TransportOptions options,
                Consumer<String> refusals) throws IOException {
            SocketFile file = SocketFile.free(at.getPath());
            Listening socket = new Listening(new TransportServer(options, at, refusals));
            try {
                file.made();
                return new ListeningUnix(socket, at, file);
            } catch (IOException e) {
                socket.close();
                throw e;
            }
        }

        @Override
        public Optional<SocketAddress> address() {
            return Optional.of(at);
        }

        @Override
        public Optional<TargetLink> accept() {
            return socket.accept();
        }

        @Override
        public Optional<String> notice() {
            return socket.notice();
        }

        @Override
        public boolean onArrival(Runnable then) {
            return socket.onArrival(then);
        }

        /** The file goes first: while it is there somebody listens. */
        @Override
        public void close() {
            file.close();
            socket.close();
        }
    }

    /** The embedder's acceptor. */
    record Own(LinkAcceptor acceptor) implements Open {
        @Override
        public Optional<SocketAddress> address() {
            return Optional.empty();
        }

        @Override
        public Optional<TargetLink> accept() {
            return acceptor.accept();
        }

        @Override
        public void close() {
            // Links that were not accepted are the embedder's.
        }
    }
}
