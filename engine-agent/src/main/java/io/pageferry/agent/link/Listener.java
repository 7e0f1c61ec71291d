package io.pageferry.agent.link;

import io.pageferry.core.link.LinkAcceptor;
import io.pageferry.core.link.TargetLink;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.CaptureSink;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportServer;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.function.Consumer;
import org.agrona.concurrent.SystemNanoClock;

/** Where sources come to a target. */
public interface Listener {
    /** {@return what carries the bytes, as reports name it} */
    String transport();

    /**
     * Opens this listener.
     *
     * @param refusals gets one line for each connection that was refused, on any thread
     * @return it, open; the caller's to close
     * @throws TransportException when it cannot be opened
     */
    Open open(Consumer<String> refusals) throws TransportException;

    /** An open listener. */
    interface Open extends LinkAcceptor, AutoCloseable {
        /** {@return where it is, with the real port; empty for one that has no address} */
        Optional<InetSocketAddress> address();

        /** Lets no source in any more, and ends links that were not taken. Idempotent. */
        @Override
        void close();
    }

    /**
     * At an address, for sources that speak docs/PROTOCOL.md.
     *
     * @param listen where; port 0 lets the host choose
     * @return the listener
     */
    static Listener at(InetSocketAddress listen) {
        return at(listen, Optional.empty());
    }

    /**
     * At an address, for sources that speak docs/PROTOCOL.md, with somebody who looks on.
     *
     * @param listen  where; port 0 lets the host choose
     * @param capture is shown all that goes over the connections
     * @return the listener
     */
    static Listener at(InetSocketAddress listen, Optional<CaptureSink> capture) {
        TransportOptions options = TransportOptions.defaults(SystemNanoClock.INSTANCE)
                .withCapture(capture);
        return new Listener() {
            @Override
            public String transport() {
                return TcpConnector.nameOf(options);
            }

            @Override
            public Open open(Consumer<String> refusals) throws TransportException {
                return new Listening(new TransportServer(options, listen, refusals));
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
        public Optional<InetSocketAddress> address() {
            return Optional.of(server.address());
        }

        @Override
        public Optional<TargetLink> accept() {
            return Optional.ofNullable(server.pollAccepted());
        }

        @Override
        public void close() {
            server.close();
        }
    }

    /** The embedder's acceptor. */
    record Own(LinkAcceptor acceptor) implements Open {
        @Override
        public Optional<InetSocketAddress> address() {
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
