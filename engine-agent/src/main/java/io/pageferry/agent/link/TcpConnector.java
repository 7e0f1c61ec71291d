package io.pageferry.agent.link;

import io.pageferry.core.link.SourceLink;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.CaptureSink;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.TransportOptions;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import org.agrona.concurrent.SystemNanoClock;

/**
 * To an agent that listens at an address, by docs/PROTOCOL.md.
 *
 * @param target  where it listens
 * @param capture is shown all that goes over the connections
 */
public record TcpConnector(InetSocketAddress target, Optional<CaptureSink> capture)
        implements Connector {
    private static final TransportOptions OPTIONS =
            TransportOptions.defaults(SystemNanoClock.INSTANCE);
    private static final Duration CONNECT = Duration.ofSeconds(10);

    /**
     * Makes one that nobody looks at.
     *
     * @param target where it listens
     */
    public TcpConnector(InetSocketAddress target) {
        this(target, Optional.empty());
    }

    @Override
    public String peer() {
        return target.getHostString() + ":" + target.getPort();
    }

    @Override
    public String transport() {
        return nameOf(OPTIONS);
    }

    static String nameOf(TransportOptions options) {
        return options.kind().name().toLowerCase(Locale.ROOT).replace("_", "");
    }

    @Override
    public Access open() {
        return new Client(new TransportClient(OPTIONS.withCapture(capture)), target);
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
        public void close() {
            client.close();
        }
    }
}
