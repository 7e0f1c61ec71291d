package io.pageferry.agent.e2e;

import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.agent.session.warmup.LateLink;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.incoming.TargetMigration;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.MemoryImage;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.IncomingGuest;
import io.pageferry.core.outgoing.SourceMigration;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.core.testing.EventLog;
import io.pageferry.core.testing.RecordingListener;
import io.pageferry.core.testing.TestJournal;
import io.pageferry.transport.netty.link.NettySourceLink;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.agrona.concurrent.SystemNanoClock;

/**
 * A whole migration of a guest that is nothing but memory: both state machines in the test's
 * thread, the real link over loopback between them.
 */
public final class LibraryMove {
    private static final Duration CONNECT = Poll.LIMIT;

    private final MappedRegions source;
    private final MappedRegions target;
    private final DirtyTracker tracker;
    private final EventLog log = new EventLog();
    private final RecordingListener listener = new RecordingListener("source", log);
    private Runnable eachTurn = () -> { };
    private Runnable saving = () -> { };
    private volatile boolean running = true;

    /**
     * Makes a move.
     *
     * @param source  memory of the guest, stays the caller's
     * @param target  filled, stays the caller's
     * @param tracker of the guest, stays the caller's
     */
    public LibraryMove(MappedRegions source, MappedRegions target, DirtyTracker tracker) {
        this.source = source;
        this.target = target;
        this.tracker = tracker;
    }

    /**
     * Says what the guest does.
     *
     * @param turn   run while the guest runs, between two turns of the engine
     * @param saved  run when the paused guest's state is saved
     * @return this
     */
    public LibraryMove guest(Runnable turn, Runnable saved) {
        eachTurn = turn;
        saving = saved;
        return this;
    }

    /** {@return whether the guest runs at the source; any thread} */
    public boolean isRunning() {
        return running;
    }

    /** {@return what the source said, with its rounds} */
    public RecordingListener listener() {
        return listener;
    }

    /**
     * Runs it to its end.
     *
     * @return the source, ended and closed: for its outcome and figures
     * @throws IOException when there is no link
     */
    public SourceMigration run() throws IOException {
        TransportOptions transport = TransportOptions.defaults(SystemNanoClock.INSTANCE);
        try (TransportServer server = new TransportServer(transport,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), log::add);
                TransportClient client = new TransportClient(transport);
                NettySourceLink link = client.connect(server.address(), CONNECT);
                LateLink late = new LateLink(server);
                SourceMigration from = new SourceMigration(new SourceParts(UUID.randomUUID(),
                        new Memory(), link, Optional::empty, new TestJournal("source", log),
                        SystemNanoClock.INSTANCE, listener, SourceOptions.defaults(), () -> true));
                TargetMigration to = new TargetMigration(new TargetParts(late, new Image(),
                        name -> new TestJournal("target", log), UUID.randomUUID(),
                        SystemNanoClock.INSTANCE, new RecordingListener("target", log),
                        TargetOptions.defaults(), () -> true))) {
            long start = System.nanoTime();
            while (!from.isDone() || !to.isDone()) {
                if (System.nanoTime() - start > Poll.LIMIT.toNanos()) {
                    throw new AssertionError("does not end: " + from.state() + "; " + log);
                }
                if (running) {
                    eachTurn.run();
                }
                if (from.doWork() + to.doWork() == 0) {
                    Thread.yield();
                }
            }
            return from;
        }
    }

    private final class Memory implements Guest {
        @Override
        public GuestDescription describe() {
            return new GuestDescription("test", "memory", source.regions(), source.dataBytes(),
                    Map.of());
        }

        @Override
        public GuestMemory memory() {
            return source;
        }

        @Override
        public DirtyTracker tracker() {
            return tracker;
        }

        @Override
        public boolean isRunning() {
            return running;
        }

        @Override
        public Optional<String> ended() {
            return Optional.empty();
        }

        @Override
        public void pause() {
            running = false;
        }

        @Override
        public void saveState(OutputStream out) throws IOException {
            saving.run();
            out.write(new byte[100]);
        }

        @Override
        public void resume() {
            running = true;
        }

        @Override
        public void end() {
            running = false;
        }

        @Override
        public void close() {
            // The memory is the test's.
        }
    }

    private final class Image implements IncomingGuest {
        @Override
        public MemoryImage prepare(GuestDescription offered) {
            if (!offered.regions().equals(source.regions())) {
                throw new AssertionError("other regions came: " + offered.regions());
            }
            return target;
        }

        @Override
        public void loadState(byte[] state) {
            // There is nothing but memory.
        }

        @Override
        public void resume() {
            // It only lies there.
        }

        @Override
        public void discard() {
            // The memory is the test's.
        }

        @Override
        public Optional<String> ended() {
            return Optional.empty();
        }

        @Override
        public void close() {
            // The memory is the test's.
        }
    }
}
