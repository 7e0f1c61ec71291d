package io.pageferry.agent.capture.check;

import io.pageferry.agent.capture.Capture;
import io.pageferry.agent.session.warmup.LateLink;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.incoming.TargetMigration;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.SourceMigration;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.core.testing.EventLog;
import io.pageferry.core.testing.TestGuest;
import io.pageferry.core.testing.TestImage;
import io.pageferry.core.testing.TestIncomingGuest;
import io.pageferry.core.testing.TestJournal;
import io.pageferry.transport.netty.CaptureSink;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.link.TransportServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Captures of a real move over the real transport: two regions, two channels, a guest that writes,
 * a link that is lost once in the first round, and a device state.
 */
final class GoodMove {
    private static final long SEED = 20_260_101;
    private static final int PAGES = 3000;
    private static final long LIMIT_NANOS = 60_000_000_000L;

    private final Ears source = new Ears();
    private final Ears target = new Ears();

    /** Keeps what it is shown. */
    private static final class Ears implements CaptureSink {
        private final List<Capture.Event> events = new ArrayList<>();
        private int connections;

        @Override
        public synchronized int opened() {
            add(Capture.Kind.OPENED, ++connections, ByteBuffer.allocate(0));
            return connections;
        }

        @Override
        public void received(int connection, ByteBuffer bytes) {
            add(Capture.Kind.RECEIVED, connection, bytes);
        }

        @Override
        public void sent(int connection, ByteBuffer bytes) {
            add(Capture.Kind.SENT, connection, bytes);
        }

        @Override
        public void inputEnded(int connection) {
            add(Capture.Kind.INPUT_ENDED, connection, ByteBuffer.allocate(0));
        }

        @Override
        public void closed(int connection) {
            add(Capture.Kind.CLOSED, connection, ByteBuffer.allocate(0));
        }

        private synchronized void add(Capture.Kind kind, int connection, ByteBuffer bytes) {
            events.add(new Capture.Event(kind, connection, 0,
                    ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip()));
        }

        synchronized Tape tape(Capture.Side side) {
            return Tape.of(side, events);
        }
    }

    private GoodMove() {
    }

    /** Moves a guest by a codec, and keeps so many bytes of what was sent. */
    static GoodMove make(CodecChoice codec, long deltaCache) throws Exception {
        GoodMove move = new GoodMove();
        TransportOptions options = TransportOptions.defaults(SystemNanoClock.INSTANCE);
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (TransportServer server = new TransportServer(
                options.withCapture(Optional.of(move.target)), any, line -> { });
                TransportClient client = new TransportClient(
                        options.withCapture(Optional.of(move.source)))) {
            move.go(server, client, SourceOptions.defaults().withPages(codec, 2)
                    .withDeltaCache(deltaCache));
        }
        return move;
    }

    Tape tape(Capture.Side side) {
        return (side == Capture.Side.SOURCE ? source : target).tape(side);
    }

    private void go(TransportServer server, TransportClient client, SourceOptions how)
            throws Exception {
        EventLog log = new EventLog();
        RegionTable regions = new RegionTable(List.of(
                new Region(0, "ram0", 0, PageGeometry.bytesOf(PAGES / 2), 4096),
                new Region(1, "ram1", 1L << 32, PageGeometry.bytesOf(PAGES / 2), 4096)));
        try (TestGuest guest = new TestGuest(regions, SEED, log);
                TestIncomingGuest incoming = new TestIncomingGuest(TestImage::new, log);
                var link = client.connect(server.address(), Duration.ofSeconds(20))) {
            guest.write(3 * PAGES, PAGES);
            guest.stateTakes(300_000, 3);
            guest.reachedBy("file");
            incoming.reachedBy("process");
            SourceMigration from = new SourceMigration(new SourceParts(new UUID(SEED, 1), guest,
                    link, () -> Optional.of(client.dial(server.address())),
                    new TestJournal("source", log), SystemNanoClock.INSTANCE,
                    MigrationListener.silent(),
                    how, () -> true));
            TargetLink first = new LateLink(server);
            TargetMigration to = new TargetMigration(new TargetParts(first, incoming,
                    any -> new TestJournal("target", log), new UUID(SEED, 2),
                    SystemNanoClock.INSTANCE, MigrationListener.silent(),
                    TargetOptions.defaults(), () -> true));
            try (from; to) {
                drive(new Sides(guest, from, to, first, server));
            }
        }
    }

    private record Sides(TestGuest guest, SourceMigration from, TargetMigration to,
            TargetLink first, TransportServer server) { }

    private static void drive(Sides sides) {
        long start = System.nanoTime();
        boolean cut = false;
        while (!sides.from.isDone() || !sides.to.isDone()) {
            if (System.nanoTime() - start > LIMIT_NANOS) {
                throw new AssertionError("does not end: " + sides.from.state() + ", "
                        + sides.to.state());
            }
            sides.from.doWork();
            sides.to.doWork();
            if (!cut && sides.to.state() == TargetState.RECEIVING) {
                cut = true;
                sides.guest.write(200, PAGES);
                sides.first.close();
            } else if (cut) {
                comeBack(sides);
            }
        }
        if (sides.from.outcome().orElseThrow().result() != Result.COMPLETED) {
            throw new AssertionError(sides.from.outcome() + ", " + sides.to.outcome());
        }
    }

    private static void comeBack(Sides sides) {
        TargetLink fresh = sides.server.pollAccepted();
        if (fresh != null) {
            fresh.poll(new LinkHandler() {
                @Override
                public void onMessage(Message message) {
                    sides.to.resume(fresh, (Message.Resume) message);
                }

                @Override
                public void onBatch(PageBatch batch) {
                    throw new AssertionError("a batch before RESUME");
                }

                @Override
                public void onLost(ErrorCode code, String reason) {
                    throw new AssertionError(reason);
                }
            });
        }
    }
}
