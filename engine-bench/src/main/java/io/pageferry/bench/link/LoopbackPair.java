package io.pageferry.bench.link;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.netty.link.NettySourceLink;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.TransportKind;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportServer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SystemNanoClock;

/** A source and a target over loopback, each with its own thread and resident memory. */
final class LoopbackPair implements AutoCloseable {
    private static final int RAW = 2;
    private static final long MEMORY = 512L << 20;
    private static final int PAGES_PER_BATCH = PageBatch.PAYLOAD_CAPACITY / PageGeometry.PAGE_SIZE;

    private final TransportKind kind;
    private final TransportServer server;
    private final TransportClient client;
    private final NettySourceLink source;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment guest = arena.allocate(MEMORY, PageGeometry.PAGE_SIZE);
    private final Applier applier = new Applier(arena.allocate(MEMORY, PageGeometry.PAGE_SIZE));
    private final Thread receiving;
    private volatile boolean closing;
    private Message.Welcome welcome;

    LoopbackPair(TransportKind kind, int channels, int window) throws IOException {
        this.kind = kind;
        guest.fill((byte) 0x5a);
        applier.image.fill((byte) 1);
        TransportOptions options =
                TransportOptions.defaults(SystemNanoClock.INSTANCE).withKind(kind);
        server = new TransportServer(options,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), System.err::println);
        client = new TransportClient(options);
        receiving = new Thread(() -> receive(channels, window), "rig-target-" + kind);
        receiving.setDaemon(true);
        receiving.start();
        source = client.connect(server.address(), Duration.ofSeconds(5));
        source.send(new Message.Hello(UUID.randomUUID(), 0, 0, channels, 0, new GuestDescription(
                "bench", "rig", RegionTable.single("ram", MEMORY), MEMORY, Map.of()), ""));
        IdleStrategy idle = idle();
        while (welcome == null && receiving.isAlive()) {
            idle.idle(source.poll(new Answers()));
        }
        source.openChannels(welcome);
        while (!source.channelsReady()) {
            idle.idle(source.poll(new Answers()));
        }
    }

    TransportKind kind() {
        return kind;
    }

    private static IdleStrategy idle() {
        return new BackoffIdleStrategy(20, 20, 1_000, 50_000);
    }

    /** Moves so many bytes of pages; gives the nanoseconds until all were acknowledged. */
    long move(long bytes) {
        IdleStrategy idle = idle();
        Answers answers = new Answers();
        long begun = System.nanoTime();
        long page = 0;
        long left = PageGeometry.pagesFor(bytes);
        while (left > 0 || source.pages().unacknowledged() > 0) {
            PageBatch batch = left > 0 ? source.pages().claim() : null;
            if (batch == null) {
                idle.idle(source.poll(answers));
                continue;
            }
            idle.reset();
            fill(batch, page);
            source.pages().commit(batch);
            left -= PAGES_PER_BATCH;
            page = (page + PAGES_PER_BATCH) % PageGeometry.pagesFor(MEMORY);
        }
        return System.nanoTime() - begun;
    }

    private void fill(PageBatch batch, long first) {
        batch.begin(0, 0);
        for (int i = 0; i < PAGES_PER_BATCH; i++) {
            MemorySegment.copy(guest, PageGeometry.bytesOf(first + i),
                    batch.payload(), batch.payloadBytes(), PageGeometry.PAGE_SIZE);
            batch.append(first + i, RAW, PageGeometry.PAGE_SIZE, 0);
        }
    }

    private void receive(int channels, int window) {
        IdleStrategy idle = idle();
        TargetLink link = null;
        while (!closing) {
            if (link == null && (link = server.pollAccepted()) != null) {
                applier.link = link;
                Message.Welcome answer =
                        new Message.Welcome(UUID.randomUUID(), 1, 0, channels, window);
                link.acceptChannels(answer);
                link.send(answer);
            }
            idle.idle(link == null ? 0 : link.poll(applier));
        }
        if (link != null) {
            link.close();
        }
    }

    @Override
    public void close() {
        closing = true;
        awaitEnd();
        source.close();
        client.close();
        server.close();
        arena.close();
    }

    private void awaitEnd() {
        try {
            receiving.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Takes what the source receives. */
    private final class Answers implements LinkHandler {
        @Override
        public void onMessage(Message message) {
            if (message instanceof Message.Welcome granted) {
                welcome = granted;
            }
        }

        @Override
        public void onBatch(PageBatch batch) {
            throw new IllegalStateException("a batch at a source");
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            throw new IllegalStateException("the link was lost: " + reason);
        }
    }

    /** What the target does with pages: puts them where they belong. */
    private static final class Applier implements LinkHandler {
        private final MemorySegment image;
        private TargetLink link;

        Applier(MemorySegment image) {
            this.image = image;
        }

        @Override
        public void onMessage(Message message) {
            // HELLO was answered when the link came.
        }

        @Override
        public void onBatch(PageBatch batch) {
            long offset = 0;
            for (int i = 0; i < batch.count(); i++) {
                long descriptor = batch.descriptorAt(i);
                MemorySegment.copy(batch.payload(), offset, image,
                        PageGeometry.bytesOf(PageBatch.pageOf(descriptor)),
                        PageBatch.lengthOf(descriptor));
                offset += PageBatch.lengthOf(descriptor);
            }
            link.applied(batch);
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            System.err.println("target: " + reason);
        }
    }
}
