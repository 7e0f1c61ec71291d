package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportKind;
import io.pageferry.transport.netty.TransportOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;

/** The contract of a link, over unix sockets, and whose they are. */
final class UnixLinkTest extends NettyLinkContract {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    /** On a busy host it takes a while to open many. */
    private static final Duration UNHURRIED = Duration.ofMinutes(10);
    private static final long DEADLINE_NANOS = 20_000_000_000L;

    private final List<String> refusals = new CopyOnWriteArrayList<>();
    private final List<Long> asked = new CopyOnWriteArrayList<>();

    UnixLinkTest() {
        super(TransportKind.EPOLL);
    }

    @Override
    SocketAddress free(String name) {
        return UnixDomainSocketAddress.of(folder.resolve(name));
    }

    private final class Deciding implements Admission {
        private final Optional<String> objection;

        Deciding(String... objection) {
            this.objection = List.of(objection).stream().findFirst();
        }

        @Override
        public Optional<String> objection(InetSocketAddress peer, InetSocketAddress ours) {
            throw new AssertionError("this is no TCP socket");
        }

        @Override
        public Optional<String> objection(long user) {
            asked.add(user);
            return objection;
        }
    }

    /** The one that runs the tests. */
    private long user() throws IOException {
        return (Integer) Files.getAttribute(folder, "unix:uid");
    }

    private static TransportOptions asking(Admission admission) {
        return TransportOptions.defaults(SystemNanoClock.INSTANCE).withKind(TransportKind.EPOLL)
                .withSecurity(new Security(Optional.empty(), admission))
                .withHandshake(UNHURRIED, 256);
    }

    @Test
    void aTargetAsksWhoseTheSourceIs() throws Exception {
        SocketAddress address = free("asked");
        try (TransportServer server = new TransportServer(asking(new Deciding("not him")),
                address, refusals::add);
                TransportClient client = new TransportClient(asking(Admission.open()))) {
            LinkRig.Ear ear = new LinkRig.Ear();
            NettySourceLink source = client.connect(address, PATIENCE);
            source.send(LinkRig.hello());
            long start = System.nanoTime();
            while (ear.loss == null) {
                assertTrue(System.nanoTime() - start < DEADLINE_NANOS, "not refused");
                source.poll(ear);
            }
            source.close();
            Message.Failure failure = (Message.Failure) ear.messages.getFirst();
            assertEquals(ErrorCode.PROTOCOL_VIOLATION, failure.code());
            assertTrue(failure.reason().contains("not him"), failure.reason());
            assertEquals(List.of(user()), asked);
            String line = refusals.getFirst();
            assertTrue(line.startsWith("user " + user() + ": "), line);
            assertNull(server.pollAccepted());
        }
    }

    /** Nothing is sent to a listener of another user: whoever got the path first may be one. */
    @Test
    void aSourceAsksWhoseTheTargetIs() throws Exception {
        SocketAddress address = free("asked");
        try (TransportServer server = new TransportServer(asking(Admission.open()), address,
                refusals::add);
                TransportClient client = new TransportClient(asking(new Deciding("not him")))) {
            TransportException e = assertThrows(TransportException.class,
                    () -> client.connect(address, PATIENCE));
            assertEquals("unix:" + folder.resolve("asked") + ": not him", e.getMessage());
            assertEquals(List.of(user()), asked);
            assertNull(server.pollAccepted());
        }
    }

    @Test
    void whereNobodyListensIsSaid() throws Exception {
        try (TransportClient client = new TransportClient(asking(Admission.open()))) {
            TransportException e = assertThrows(TransportException.class,
                    () -> client.connect(free("nobody"), PATIENCE));
            assertTrue(e.getMessage().endsWith("nobody: there is no such socket, so that nobody"
                    + " listens there"), e.getMessage());
        }
    }

    /** All of one user's are counted together, as those of one address are. */
    @Test
    void silentConnectionsOfOneUserMakeWay() throws Exception {
        SocketAddress address = free("silent");
        try (TransportServer server = new TransportServer(asking(Admission.open()), address,
                refusals::add)) {
            List<SocketChannel> silent = new CopyOnWriteArrayList<>();
            for (int i = 0; i < PendingConnections.MOST_OF_ONE_ORIGIN + 3; i++) {
                silent.add(SocketChannel.open(address));
            }
            long start = System.nanoTime();
            while (refusals.size() < 3) {
                assertTrue(System.nanoTime() - start < DEADLINE_NANOS, refusals.toString());
                Thread.onSpinWait();
            }
            assertTrue(refusals.getFirst().contains("a newer connection took its place"),
                    refusals.toString());
            for (var one : silent) {
                one.close();
            }
            assertNull(server.pollAccepted());
        }
    }
}
