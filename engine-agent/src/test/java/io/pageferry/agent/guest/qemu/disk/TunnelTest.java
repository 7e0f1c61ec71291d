package io.pageferry.agent.guest.qemu.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.Message;
import io.pageferry.core.link.StreamLink;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TunnelTest {
    private static final int BYTES = 5_000_000;
    private static final long SEED = 20261125;

    @TempDir
    Path folder;

    private final Side source = new Side();
    private final Side target = new Side();
    private volatile boolean up = true;
    private volatile long silence;
    private final AtomicLong asked = new AtomicLong();
    private ServerSocketChannel server;
    private Tunnel near;
    private Tunnel far;

    /** One end of a link, which delivers on a thread of its own and refuses now and then. */
    private static final class Side {
        private final ExecutorService deliverer = Executors.newSingleThreadExecutor();
        private final Random random = new Random(SEED);
        private volatile Consumer<Message.Streamed> receiver;
        private volatile long credit;
        private volatile long came;
        private volatile boolean broken;
        private volatile boolean ended;

        synchronized boolean deliver(Message.Streamed message, Side sender) {
            if (random.nextInt(8) == 0) {
                return false;
            }
            switch (message) {
                case Message.StreamCredit more -> sender.credit = more.upTo();
                case Message.StreamData data -> came += data.bytes().length;
                case Message.StreamEnd _ -> ended = true;
            }
            broken |= came > credit;
            deliverer.submit(() -> receiver.accept(message));
            return true;
        }
    }

    private StreamLink link(Side from, Side to) {
        return new StreamLink() {
            @Override
            public boolean sendStreamed(Message.Streamed part) {
                return up && to.deliver(part, from);
            }

            @Override
            public void streamsTo(Consumer<Message.Streamed> receiver) {
                from.receiver = receiver;
            }

            @Override
            public boolean isUp() {
                return up;
            }

            @Override
            public long silentNanos() {
                asked.incrementAndGet();
                return silence;
            }
        };
    }

    @BeforeEach
    void open() throws IOException {
        Path socket = folder.resolve("server");
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        far = Tunnel.connecting(link(target, source), 1, socket);
        near = Tunnel.listening(link(source, target), List.of(folder.resolve("door")),
                path -> ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                        .bind(UnixDomainSocketAddress.of(path)));
    }

    @AfterEach
    void close() throws IOException {
        up = false;
        near.close();
        far.close();
        server.close();
        source.deliverer.shutdownNow();
        target.deliverer.shutdownNow();
        assertFalse(Files.exists(folder.resolve("door")));
    }

    private SocketChannel call() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("door")));
    }

    /** The server speaks first, as that of NBD does. */
    @Test
    void carriesBothWaysWhateverIsWrittenAndNeverMoreThanItsCredit() throws Exception {
        byte[] there = new byte[BYTES];
        byte[] back = new byte[BYTES];
        new Random(SEED).nextBytes(there);
        new Random(SEED + 1).nextBytes(back);
        try (SocketChannel client = call(); SocketChannel served = server.accept()) {
            CompletableFuture<Void> writes = async(() -> write(served, back));
            CompletableFuture<byte[]> gets = new CompletableFuture<>();
            CompletableFuture<Void> reads = async(() -> gets.complete(read(client, BYTES)));
            CompletableFuture<Void> sends = async(() -> write(client, there));
            assertArrayEquals(there, read(served, BYTES));
            assertArrayEquals(back, gets.get(30, TimeUnit.SECONDS));
            CompletableFuture.allOf(writes, reads, sends).get(30, TimeUnit.SECONDS);
            assertEquals(BYTES, near.sentBytes());
            assertEquals(BYTES, far.sentBytes());
            assertFalse(source.broken || target.broken, "more than the credit was sent");
            // Its end is the other one's end.
            client.shutdownOutput();
            assertEquals(-1, served.read(ByteBuffer.allocate(1)));
        }
        assertTrue(target.ended);
    }

    @Test
    void sendsNoFasterThanItMay() throws Exception {
        near.limit(1);
        try (SocketChannel client = call(); SocketChannel served = server.accept()) {
            CompletableFuture<Void> sends = async(() -> write(client, new byte[BYTES]));
            read(served, 1);
            assertTrue(near.sentBytes() <= Message.MAX_STREAM_BYTES, "more than one chunk");
            near.limit(0);
            read(served, BYTES - 1);
            sends.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void whoSendsMoreThanItMayIsCutOff() throws Exception {
        try (SocketChannel client = call(); SocketChannel served = server.accept()) {
            Message.StreamData chunk = new Message.StreamData(0,
                    new byte[Message.MAX_STREAM_BYTES]);
            for (int sent = 0; sent <= 64 << 20; sent += chunk.bytes().length) {
                source.receiver.accept(chunk);
            }
            assertEquals(-1, readOne(client));
            assertEquals(-1, served.read(ByteBuffer.allocate(1)));
        }
    }

    @Test
    void aLinkThatIsLostEndsTheSockets() throws Exception {
        try (SocketChannel client = call(); SocketChannel served = server.accept()) {
            up = false;
            near.close();
            far.close();
            assertEquals(-1, readOne(client));
            assertEquals(-1, served.read(ByteBuffer.allocate(1)));
        }
    }

    /** A QEMU that waits for its blocks would wait until the link is known as lost. */
    @Test
    void aLinkThatIsSilentEndsTheSocketsOfWhoWaits() throws Exception {
        try (SocketChannel client = call(); SocketChannel served = server.accept()) {
            near.endUnlessMoving(TimeUnit.SECONDS.toNanos(60)).run();
            silence = 1;
            near.endUnlessMoving(1);
            assertEquals(-1, readOne(client));
            assertEquals(-1, readOne(served));
        }
    }

    /** An fsync at the target may take longer than a link may be silent. */
    @Test
    void aDiskThatIsSlowIsWaitedForWhileTheLinkLives() throws Exception {
        try (SocketChannel client = call(); SocketChannel served = server.accept()) {
            Runnable off = near.endUnlessMoving(1);
            awaitAsked(10);
            write(client, new byte[] {7});
            assertArrayEquals(new byte[] {7}, read(served, 1));
            off.run();
        }
    }

    private void awaitAsked(int more) {
        long until = asked.get() + more;
        while (asked.get() < until) {
            Thread.onSpinWait();
        }
    }

    @Test
    void whoCalledThatOffIsLeftAlone() throws Exception {
        try (SocketChannel client = call(); SocketChannel served = server.accept()) {
            near.endUnlessMoving(TimeUnit.SECONDS.toNanos(5)).run();
            write(client, new byte[] {7});
            assertArrayEquals(new byte[] {7}, read(served, 1));
        }
    }

    /** What was on its way before may still come. */
    private static int readOne(SocketChannel from) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        int length;
        do {
            buffer.clear();
            length = from.read(buffer);
        } while (length > 0);
        return length;
    }

    /** Something that may fail. */
    private interface Act {
        void run() throws IOException;
    }

    private static CompletableFuture<Void> async(Act act) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> {
            try {
                act.run();
                done.complete(null);
            } catch (IOException e) {
                done.completeExceptionally(e);
            }
        });
        return done;
    }

    private static void write(SocketChannel to, byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            to.write(buffer);
        }
    }

    private static byte[] read(SocketChannel from, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        while (buffer.hasRemaining() && from.read(buffer) >= 0) {
            // Until it is full or there is no more.
        }
        return buffer.array();
    }
}
