package io.pageferry.transport.netty.link;

import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.testing.link.LinkContract;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.TransportKind;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract over loopback, with a relay between that can be cut. */
@ExtendWith(LeakGuard.class)
abstract class NettyLinkContract extends LinkContract {
    private final TransportKind kind;
    private TransportServer server;
    private TransportClient client;
    private Relay relay;

    NettyLinkContract(TransportKind kind) {
        this.kind = kind;
    }

    @Override
    protected SourceLink openSource() throws Exception {
        Assumptions.assumeTrue(kind.isAvailable(), () -> kind + ": " + kind.unavailability());
        TransportOptions options =
                TransportOptions.defaults(SystemNanoClock.INSTANCE).withKind(kind);
        server = new TransportServer(options,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), line -> { });
        relay = new Relay(server.address());
        client = new TransportClient(options);
        return client.connect(relay.address(), Duration.ofSeconds(10));
    }

    @Override
    protected TargetLink acceptTarget() {
        return server.pollAccepted();
    }

    @Override
    protected void breakLink() {
        relay.cut();
    }

    @Override
    protected void tearDown() throws Exception {
        client.close();
        server.close();
        relay.close();
    }
}
