package io.pageferry.bench.move;

import io.pageferry.agent.link.LaneThreads;
import io.pageferry.agent.session.warmup.LateLink;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.bench.Folders;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.incoming.TargetMigration;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.SourceMigration;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.transport.netty.Admission;
import io.pageferry.transport.netty.Security;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.NettySourceLink;
import io.pageferry.transport.netty.link.TransportClient;
import io.pageferry.transport.netty.link.TransportServer;
import io.pageferry.transport.netty.tls.TlsOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Whole migrations as the two agents do them, one after another, in this process: each side on a
 * thread of its own, over loopback, with journals, memory that stays resident on both sides.
 */
public final class MoveRig implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(5);

    private final ResidentMemory source;
    private final ResidentMemory target;
    private final Path folder;
    private final StateDirectory directory;
    private final TransportServer server;
    private final TransportClient client;

    /**
     * Makes a rig.
     *
     * @param source memory of the guest, stays the caller's
     * @param target of the same size, stays the caller's
     * @throws IOException when there is no folder or no port
     */
    public MoveRig(ResidentMemory source, ResidentMemory target) throws IOException {
        this(source, target, Optional.empty());
    }

    /**
     * Makes a rig that encrypts, or not; see {@link #MoveRig(ResidentMemory, ResidentMemory)}.
     *
     * @param tls of both sides; empty for none
     */
    public MoveRig(ResidentMemory source, ResidentMemory target, Optional<TlsOptions> tls)
            throws IOException {
        this.source = source;
        this.target = target;
        this.folder = Folders.temporary();
        this.directory = StateDirectory.open(folder);
        TransportOptions options = TransportOptions.defaults(SystemNanoClock.INSTANCE)
                .withSecurity(new Security(tls, Admission.open()));
        this.server = new TransportServer(options,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), line -> { });
        this.client = new TransportClient(options);
    }

    /**
     * What one migration showed.
     *
     * @param totalNanos    first byte of negotiation to target running
     * @param downtimeNanos of it, paused
     * @param wireBytes     sent with all headers
     * @param problem       null when it completed and the digests were equal, else what was wrong
     */
    public record Move(long totalNanos, long downtimeNanos, long wireBytes, String problem) { }

    /**
     * Moves the guest once.
     *
     * @param codec          to use
     * @param bytesPerSecond that the guest writes meanwhile
     * @return what it showed
     * @throws IOException when the link or a journal cannot be made
     */
    public Move move(CodecChoice codec, long bytesPerSecond) throws IOException {
        return move(codec, bytesPerSecond, SourceOptions.defaults().channels());
    }

    /**
     * Moves the guest once over so many data channels; see {@link #move(CodecChoice, long)}.
     *
     * @param channels 1 to 64
     */
    public Move move(CodecChoice codec, long bytesPerSecond, int channels) throws IOException {
        UUID id = UUID.randomUUID();
        try (NettySourceLink link = client.connect(server.address(), CONNECT);
                LateLink targetLink = new LateLink(server);
                ResidentGuest guest = new ResidentGuest(source, bytesPerSecond);
                FileJournal ours = journal(id, Side.SOURCE);
                FileJournal theirs = journal(id, Side.TARGET);
                SourceMigration from = new SourceMigration(new SourceParts(id, guest, link,
                        Optional::empty, ours, SystemNanoClock.INSTANCE, MigrationListener.silent(),
                        options(codec, channels), () -> true));
                TargetMigration to = new TargetMigration(new TargetParts(targetLink,
                        new ResidentIncoming(target), name -> theirs, UUID.randomUUID(),
                        SystemNanoClock.INSTANCE, MigrationListener.silent(),
                        TargetOptions.defaults(), () -> true))) {
            Thread receiving = Thread.ofPlatform().name("bench-target").start(() -> drive(to));
            LaneThreads lanes = LaneThreads.start(from::handOutLanes);
            try (lanes) {
                IdleStrategy idle = idle();
                while (!from.isDone()) {
                    idle.idle(from.doWork());
                }
            }
            join(receiving);
            return result(from);
        }
    }

    private static Move result(SourceMigration from) {
        Outcome outcome = from.outcome().orElseThrow();
        String problem = null;
        if (outcome.result() != Outcome.Result.COMPLETED) {
            problem = outcome.reason();
        } else if (!from.figures().digestsCompared()
                || from.figures().sourceDigest() != from.figures().targetDigest()) {
            problem = "the digests were not compared, or differ";
        }
        return new Move(from.figures().totalNanos(), from.figures().downtimeNanos(),
                from.figures().wireBytes(), problem);
    }

    private static SourceOptions options(CodecChoice codec, int channels) {
        SourceOptions usual = SourceOptions.defaults();
        return usual.withPages(codec, channels).withWindows(0, usual.settleNanos());
    }

    private static void drive(TargetMigration to) {
        IdleStrategy idle = idle();
        while (!to.isDone()) {
            idle.idle(to.doWork());
        }
    }

    /** As the agents wait. */
    private static IdleStrategy idle() {
        return new BackoffIdleStrategy(10, 20, 1_000, 200_000);
    }

    private static void join(Thread receiving) throws IOException {
        try {
            receiving.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private FileJournal journal(UUID id, Side side) throws IOException {
        return directory.create(new JournalHeader(JournalHeader.SCHEMA, id, side, "bench:", "",
                0, Map.of()));
    }

    @Override
    public void close() throws IOException {
        client.close();
        server.close();
        Folders.delete(folder);
    }
}
