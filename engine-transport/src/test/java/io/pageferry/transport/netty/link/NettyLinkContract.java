package io.pageferry.transport.netty.link;

import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.testing.link.LinkContract;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportKind;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.tls.TestCa;
import io.pageferry.transport.netty.tls.TlsEngine;
import io.pageferry.transport.netty.tls.TlsFiles;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The contract over loopback, with a relay between that can be cut. */
@ExtendWith(LeakGuard.class)
abstract class NettyLinkContract extends LinkContract {
    private final TransportKind kind;
    private final TlsEngine tls;
    @TempDir
    Path folder;
    private TransportServer server;
    private TransportClient client;
    private Relay relay;

    NettyLinkContract(TransportKind kind) {
        this(kind, null);
    }

    NettyLinkContract(TransportKind kind, TlsEngine tls) {
        this.kind = kind;
        this.tls = tls;
    }

    private TransportOptions options() throws Exception {
        TransportOptions plain =
                TransportOptions.defaults(SystemNanoClock.INSTANCE).withKind(kind);
        if (tls == null) {
            return plain;
        }
        Assumptions.assumeTrue(tls.isAvailable(), () -> tls + " is not available");
        TlsFiles files = new TestCa(folder).issue("host", "dns:localhost");
        return plain.withSecurity(new Security(Optional.of(
                new TlsOptions(files, Set.of(), tls)), Admission.open()));
    }

    /** Where to listen; of TCP the host chooses the port. */
    SocketAddress free(String name) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    @Override
    protected SourceLink openSource() throws Exception {
        Assumptions.assumeTrue(kind.isAvailable(), () -> kind + ": " + kind.unavailability());
        TransportOptions options = options();
        SocketAddress target = free("target");
        server = new TransportServer(options, target, line -> { });
        relay = new Relay(free("relay"),
                target instanceof InetSocketAddress ? server.address() : target);
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
