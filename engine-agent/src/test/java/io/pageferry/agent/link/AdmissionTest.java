package io.pageferry.agent.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.link.TransportServer;
import io.pageferry.transport.wire.FrameHeader;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.Preamble;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;

/** A target asks the kernel whose a source on this host is, and when. */
class AdmissionTest {
    private static final long PATIENCE_NANOS = 60_000_000_000L;

    private final List<String> refusals = new CopyOnWriteArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);

    private TransportServer server() throws IOException {
        return new TransportServer(TransportOptions.defaults(SystemNanoClock.INSTANCE)
                .withSecurity(new Security(Optional.empty(), new Asked())),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), refusals::add);
    }

    /** Asks, but not before the test has closed its socket. */
    private final class Asked implements Admission {
        private final Admission local = new LocalPeers();

        @Override
        public Optional<String> objection(InetSocketAddress peer, InetSocketAddress ours) {
            try {
                closed.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return local.objection(peer, ours);
        }

        @Override
        public Optional<String> objection(long user) {
            return local.objection(user);
        }
    }

    private static Message hello() {
        return new Message.Hello(UUID.randomUUID(), 0, 0, 1, 1, new GuestDescription("test",
                "guest", RegionTable.single("ram", 1 << 24), 0, Map.of()), "");
    }

    private static byte[] preambleAndHello() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(Preamble.OURS.encode().array());
        byte[] frame = MessageCodec.encode(hello());
        new FrameHeader.Sealer().seal(
                ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN), 0);
        bytes.write(frame);
        return bytes.toByteArray();
    }

    @Test
    void whoClosesRightAfterHelloIsRefused() throws Exception {
        try (TransportServer server = server()) {
            InetSocketAddress address = server.address();
            try (Socket source = new Socket(address.getAddress(), address.getPort())) {
                source.getOutputStream().write(preambleAndHello());
            }
            closed.countDown();
            awaitRefusal("its socket is closed already");
            assertNull(server.pollAccepted());
        }
    }

    @Test
    void ourOwnUserIsLetIn() throws Exception {
        closed.countDown();
        try (TransportServer server = server(); TransportClient client = new TransportClient(
                TransportOptions.defaults(SystemNanoClock.INSTANCE))) {
            var source = client.connect(server.address(), Duration.ofSeconds(10));
            source.send(hello());
            long start = System.nanoTime();
            var target = server.pollAccepted();
            while (target == null) {
                assertTrue(System.nanoTime() - start < PATIENCE_NANOS, refusals.toString());
                Thread.onSpinWait();
                target = server.pollAccepted();
            }
            assertEquals(List.of(), refusals);
            target.close();
            source.close();
        }
    }

    private void awaitRefusal(String words) {
        long start = System.nanoTime();
        while (refusals.stream().noneMatch(line -> line.contains(words))) {
            assertTrue(System.nanoTime() - start < PATIENCE_NANOS, refusals.toString());
            Thread.onSpinWait();
        }
    }
}
