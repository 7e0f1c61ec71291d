package io.pageferry.agent.link;

import io.pageferry.core.link.SourceLink;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.CaptureSink;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import org.agrona.concurrent.SystemNanoClock;

/**
 * To an agent that listens at an address of TCP or of a unix socket, by docs/PROTOCOL.md. Over the
 * latter it must be of this process's user or root.
 *
 * @param target  where it listens
 * @param trust   how it and this side show that they belong
 * @param capture is shown all that goes over the connections
 */
public record SocketConnector(SocketAddress target, PeerTrust trust,
        Optional<CaptureSink> capture)
        implements Connector {
    private static final TransportOptions OPTIONS =
            TransportOptions.defaults(SystemNanoClock.INSTANCE);
    private static final Duration CONNECT = Duration.ofSeconds(15);

    /**
     * Makes one that nobody looks at.
     *
     * @param target where it listens
     * @param tls    how TLS is used; empty where it is off
     */
    public SocketConnector(SocketAddress target, Optional<TlsOptions> tls) {
        this(target, PeerTrust.of(tls), Optional.empty());
    }

    @Override
    public String peer() {
        return TransportClient.text(target);
    }

    @Override
    public String transport() {
        return nameOf(OPTIONS.withKindFor(target));
    }

    @Override
    public boolean tls() {
        return trust.tls().isPresent();
    }

    static String nameOf(TransportOptions options) {
        return options.kind().name().toLowerCase(Locale.ROOT).replace("_", "");
    }

    @Override
    public Access open() {
        return new Client(new TransportClient(OPTIONS.withKindFor(target)
                .withSecurity(trust.security()).withCapture(capture)), target);
    }

    private record Client(TransportClient client, SocketAddress target) implements Access {
        @Override
        public SourceLink connect() throws TransportException {
            return client.connect(target, CONNECT);
        }

        @Override
        public Optional<SourceLink> beginOpen() {
            return Optional.of(client.dial(target));
        }

        @Override
        public Optional<String> notice() {
            return client.pollNotice();
        }

        @Override
        public void close() {
            client.close();
        }
    }
}
