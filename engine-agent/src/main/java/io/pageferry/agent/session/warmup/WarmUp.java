package io.pageferry.agent.session.warmup;

import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.codec.page.ZstdCodec;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.handover.Journal;
import io.pageferry.core.incoming.TargetMigration;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.SourceMigration;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.link.TransportServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Moves a scratch guest inside this process before a real one is touched: a cold JVM would else
 * load its classes, interpret its first lines and compile its loops in the downtime. Measured:
 * cold, the switch-over of a QEMU guest took several times as long; see docs/adr/0004 and 0008.
 */
public final class WarmUp {
    /** Enough for the quick compiler, which commands run with (docs/adr/0043). */
    private static final String GUEST = "workload:4MiB?rate=20MiB/s";
    /** Enough for the optimizing compiler, which embedders have; 8 MiB were too few. */
    private static final String LONG_GUEST = "workload:64MiB?rate=20MiB/s";
    private static final Duration CONNECT = Duration.ofSeconds(5);

    /** A warm-up is worth seconds, not more; what is warm by then is warm. */
    private static final long LIMIT_NANOS = 2_000_000_000L;

    /** Tests that start hundreds of agents, and time none, do with none. */
    private static final int TIMES = Integer.getInteger("pageferry.warmups", 1);
    /** The optimizing compiler needs more of them, and who has it has the time. */
    private static final int LONG_TIMES = Integer.getInteger("pageferry.warmups", 3);
    private static final int TRAININGS = 4;
    private static final int TRAINING_TIMES = 3;
    /** Of the kind that has most to warm up; none such is opened. */
    private static final String QEMU = "qemu:/warm-up";

    private WarmUp() {
    }

    /**
     * Warms up often enough for the JVM to learn what is worth compiling; the launcher has it keep
     * that in a cache. Takes some seconds on the calling thread; no failure is reported.
     */
    public static void train() {
        for (int i = 0; i < TRAININGS; i++) {
            run(GuestUri.parse(QEMU), GuestUri.parse(GUEST), TRAINING_TIMES);
        }
    }

    /**
     * Warms up on the calling thread, for a second or so, less where that is interrupted; a failure
     * of it is no failure of what follows.
     *
     * @param guest of the kind that will move
     */
    public static void run(GuestUri guest) {
        run(guest, GuestUri.parse(GUEST), TIMES);
    }

    /**
     * Does the same in a JVM that compiles for long use, for some seconds.
     *
     * @param guest of the kind that will move
     */
    public static void runLong(GuestUri guest) {
        run(guest, GuestUri.parse(LONG_GUEST), LONG_TIMES);
    }

    private static void run(GuestUri guest, GuestUri scratch, int times) {
        TransportOptions transport = TransportOptions.defaults(SystemNanoClock.INSTANCE);
        Path folder = null;
        try {
            // Its native code is unpacked and loaded once, and not while pages wait for it.
            ZstdCodec.isAvailable();
            GuestKinds.of(guest).warmUp();
            folder = Files.createTempDirectory("pageferry-warm-up");
            StateDirectory directory = StateDirectory.open(folder);
            InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            try (TransportServer server = new TransportServer(transport, any, line -> { });
                    TransportClient client = new TransportClient(transport)) {
                for (int i = 0; i < times && !isInterrupted(); i++) {
                    move(scratch, server, client, directory);
                }
            }
        } catch (IOException | RuntimeException e) {
            // The real move is only slower, and reports itself what is wrong.
        } finally {
            delete(folder);
        }
    }

    private static boolean isInterrupted() {
        return Thread.currentThread().isInterrupted();
    }

    private static void move(GuestUri uri, TransportServer server, TransportClient client,
            StateDirectory directory) throws IOException {
        GuestSetup setup = new GuestSetup(TrackerChoice.AUTO, false, pid -> -1);
        UUID id = UUID.randomUUID();
        var link = client.connect(server.address(), CONNECT);
        TargetLink targetLink = new LateLink(server);
        try (link; targetLink;
                SourceGuest guest = GuestKinds.of(uri).openSource(uri, setup);
                TargetGuest incoming = GuestKinds.of(uri).openTarget(uri, setup);
                FileJournal ours = journal(directory, id, Side.SOURCE);
                FileJournal theirs = journal(directory, id, Side.TARGET);
                SourceMigration source = new SourceMigration(new SourceParts(id, guest, link,
                        Optional::empty, ours, SystemNanoClock.INSTANCE,
                        MigrationListener.silent(), SourceOptions.defaults(), () -> true));
                TargetMigration target = new TargetMigration(new TargetParts(targetLink, incoming,
                        name -> (Journal) theirs, UUID.randomUUID(), SystemNanoClock.INSTANCE,
                        MigrationListener.silent(), TargetOptions.defaults(), () -> true))) {
            AgentLoop.run(new Move(source, target, System.nanoTime()));
        }
    }

    /** Both sides in one agent, for a limited time. */
    private record Move(SourceMigration source, TargetMigration target, long start)
            implements FiniteAgent {
        @Override
        public int doWork() {
            return source.doWork() + target.doWork();
        }

        @Override
        public boolean isDone() {
            return source.isDone() && target.isDone() || isInterrupted()
                    || System.nanoTime() - start >= LIMIT_NANOS;
        }

        @Override
        public String roleName() {
            return "warm-up";
        }
    }

    private static FileJournal journal(StateDirectory directory, UUID id, Side side)
            throws IOException {
        return directory.create(new JournalHeader(JournalHeader.SCHEMA, id, side, GUEST, "",
                0, Map.of()));
    }

    private static void delete(Path folder) {
        if (folder == null) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            // A folder in the temporary directory does no harm.
        }
    }
}
