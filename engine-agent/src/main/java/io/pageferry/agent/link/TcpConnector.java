package io.pageferry.agent.link;

import io.pageferry.core.link.SourceLink;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.CaptureSink;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import org.agrona.concurrent.SystemNanoClock;

/**
 * To an agent that listens at an address, by docs/PROTOCOL.md.
 *
 * @param target   where it listens
 * @param security how TLS is used; empty where it is off
 * @param capture  is shown all that goes over the connections
 */
public record TcpConnector(InetSocketAddress target, Optional<TlsOptions> security,
        Optional<CaptureSink> capture)
        implements Connector {
    private static final TransportOptions OPTIONS =
            TransportOptions.defaults(SystemNanoClock.INSTANCE);
    private static final Duration CONNECT = Duration.ofSeconds(15);

    /**
     * Makes one that nobody looks at.
     *
     * @param target   where it listens
     * @param security how TLS is used; empty where it is off
     */
    public TcpConnector(InetSocketAddress target, Optional<TlsOptions> security) {
        this(target, security, Optional.empty());
    }

    @Override
    public String peer() {
        return target.getHostString() + ":" + target.getPort();
    }

    @Override
    public String transport() {
        return nameOf(OPTIONS);
    }

    @Override
    public boolean tls() {
        return security.isPresent();
    }

    static String nameOf(TransportOptions options) {
        return options.kind().name().toLowerCase(Locale.ROOT).replace("_", "");
    }

    @Override
    public Access open() {
        return new Client(new TransportClient(OPTIONS.withSecurity(
                new Security(security, Admission.open())).withCapture(capture)), target);
    }

    private record Client(TransportClient client, InetSocketAddress target) implements Access {
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
