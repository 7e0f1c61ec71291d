package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.fail;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.netty.TransportOptions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/** A server, a client and one session between them; the test's thread polls both ends. */
final class LinkRig implements AutoCloseable {
    static final UUID TOKEN = new UUID(0x1111222233334444L, 0x5555666677778888L);
    static final int WINDOW = 4;
    private static final long DEADLINE_NANOS = 20_000_000_000L;

    final List<String> refusals = new CopyOnWriteArrayList<>();
    final TransportServer server;
    final TransportClient client;
    final Ear atSource = new Ear();
    final Ear atTarget = new Ear();
    int window = WINDOW;
    long features;
    NettySourceLink source;
    TargetLink target;

    /** What an end was told. */
    static final class Ear implements LinkHandler {
        final List<Message> messages = new ArrayList<>();
        final List<PageBatch> batches = new ArrayList<>();
        int takes = Integer.MAX_VALUE;
        ErrorCode loss;
        String reason;

        @Override
        public void onMessage(Message message) {
            messages.add(message);
        }

        @Override
        public boolean takesBatches() {
            return batches.size() < takes;
        }

        @Override
        public void onBatch(PageBatch batch) {
            batches.add(batch);
        }

        @Override
        public void onLost(ErrorCode code, String why) {
            loss = code;
            reason = why;
        }
    }

    LinkRig(TransportOptions options) throws Exception {
        this(options, options);
    }

    LinkRig(TransportOptions ofTarget, TransportOptions ofSource) throws Exception {
        server = new TransportServer(ofTarget,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), refusals::add);
        client = new TransportClient(ofSource);
    }

    static Message.Hello hello() {
        return new Message.Hello(UUID.randomUUID(), 0, 0, 1, 1, new GuestDescription(
                "test", "guest", RegionTable.single("ram", 1 << 24), 0, Map.of()), "");
    }

    /** Opens the session up to its channels. */
    LinkRig open(SocketAddress address, int channels) throws Exception {
        source = client.connect(address, Duration.ofSeconds(10));
        source.send(hello());
        openTarget();
        Message.Welcome welcome = accept(channels);
        await("WELCOME", () -> !atSource.messages.isEmpty());
        source.openChannels(welcome);
        await("the channels", () -> source.channelsReady() || atSource.loss != null);
        return this;
    }

    void openTarget() {
        await("the target's end", () -> target != null || (target = server.pollAccepted()) != null);
        await("the first message", () -> !atTarget.messages.isEmpty());
    }

    Message.Welcome accept(int channels) {
        Message.Welcome welcome = new Message.Welcome(TOKEN, 2, features, channels, window);
        target.acceptChannels(welcome);
        target.send(welcome);
        return welcome;
    }

    void await(String what, BooleanSupplier happened) {
        long start = System.nanoTime();
        while (!happened.getAsBoolean()) {
            if (System.nanoTime() - start > DEADLINE_NANOS) {
                fail("waited in vain for " + what + "; lost: " + atSource.reason + ", "
                        + atTarget.reason + "; refused: " + refusals);
            }
            pollOnce();
        }
    }

    void pollOnce() {
        int work = source == null ? 0 : source.poll(atSource);
        work += target == null ? 0 : target.poll(atTarget);
        if (work == 0) {
            Thread.yield();
        }
    }

    /** Sends a page of ones through the whole link and back comes its acknowledgement. */
    void movePage(long page) {
        sendPage(page);
        await("the page", () -> !atTarget.batches.isEmpty());
        target.applied(atTarget.batches.removeFirst());
        await("its acknowledgement", () -> source.pages().unacknowledged() == 0);
    }

    void sendPage(long page) {
        PageBatch[] batch = new PageBatch[1];
        await("a slot", () -> (batch[0] = source.pages().claim()) != null);
        batch[0].begin(0, 0);
        batch[0].payload().asSlice(0, 4096).fill((byte) 1);
        batch[0].append(page, 2, 4096, 0);
        source.pages().commit(batch[0]);
    }

    @Override
    public void close() {
        if (source != null) {
            source.close();
        }
        if (target != null) {
            target.close();
        }
        client.close();
        server.close();
    }
}
