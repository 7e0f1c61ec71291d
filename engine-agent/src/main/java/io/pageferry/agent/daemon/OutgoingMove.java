package io.pageferry.agent.daemon;

import io.pageferry.agent.daemon.queue.MoveQueue;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.agent.report.Listeners;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.agent.session.SourceSession;
import io.pageferry.core.dirty.MemoryMap;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.round.MigrationLimits;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;

/** Moves one guest away, on a thread of its own. All but {@link #turns} is the registry's. */
final class OutgoingMove {
    /** Frames in flight, tables and threads; what is kept of pages gives way to others. */
    private static final long MEMORY = 128 << 20;

    private final Migration migration;
    private final GuestUri uri;
    private final BiConsumer<OutgoingMove, AgentResult> ended;
    private final AtomicLong turns = new AtomicLong();
    private MoveRequest request;
    private MigrateSettings settings;
    private long share;
    private SourceSession session;

    /**
     * Makes a move; nothing begins yet.
     *
     * @param migration is told what happens
     * @param request   what is wanted
     * @param uri       of the guest
     * @param settings  the same, read
     * @param ended     gets how it ended, on its thread
     */
    OutgoingMove(Migration migration, MoveRequest request, GuestUri uri, MigrateSettings settings,
            BiConsumer<OutgoingMove, AgentResult> ended) {
        this.migration = migration;
        this.request = request;
        this.uri = uri;
        this.settings = settings;
        this.ended = ended;
    }

    Migration migration() {
        return migration;
    }

    MoveRequest request() {
        return request;
    }

    GuestUri uri() {
        return uri;
    }

    MoveQueue.Move need() {
        return new MoveQueue.Move(request.to(), request.slot(), MEMORY);
    }

    /** Returns bytes a second that its caller allows it, 0 for all that there is. */
    long wantedBandwidth() {
        return settings.options().limits().bandwidth().bytesPerSecond();
    }

    /**
     * Takes other limits, whether it began or not.
     *
     * @throws IllegalArgumentException where the session cannot have them; nothing is changed then
     */
    void limit(MoveRequest words, MigrateSettings read) {
        if (session != null) {
            session.limits(shared(read));
        }
        request = words;
        settings = read;
    }

    /** Takes its part of a bandwidth, 0 for no bound. */
    void share(long bytesPerSecond) {
        // One that copies disks keeps the part that it began with.
        if (share == bytesPerSecond || session != null && settings.copyStorage()) {
            return;
        }
        share = bytesPerSecond;
        if (session != null) {
            session.limits(shared(settings));
        }
    }

    private MigrationLimits shared(MigrateSettings read) {
        MigrationLimits own = read.options().limits();
        return share == 0 ? own : own.with(own.bandwidth().atMost(share));
    }

    Optional<MemoryMap> map() {
        return session == null ? Optional.empty() : session.map();
    }

    void cancel() {
        session.cancel();
    }

    /** Returns a number that grows as long as the duty cycle turns; for any thread. */
    long turns() {
        return turns.get();
    }

    void start() {
        session = new SourceSession(migration.id(),
                settings.with(settings.options().withLimits(shared(settings))),
                Listeners.after(migration));
        Thread.ofPlatform().daemon().name("move-" + migration.id())
                .start(() -> ended.accept(this, moved()));
    }

    private AgentResult moved() {
        try {
            AgentLoop.run(new Counted());
            return session.result();
        } catch (RuntimeException | Error e) {
            // Its guard does the rest; the other moves go on.
            Outcome bug = Outcome.of(Result.BUG, ErrorCode.INTERNAL, e.toString(), Side.SOURCE)
                    .causedBy(e);
            return new AgentResult(bug, Report.ofNothing(Side.SOURCE, bug));
        }
    }

    /** The session, with its turns counted. */
    private final class Counted implements FiniteAgent {
        @Override
        public void onStart() {
            session.onStart();
        }

        @Override
        public int doWork() {
            turns.lazySet(turns.getPlain() + 1);
            return session.doWork();
        }

        @Override
        public boolean isDone() {
            return session.isDone();
        }

        @Override
        public void onClose() {
            session.onClose();
        }

        @Override
        public String roleName() {
            return session.roleName();
        }
    }
}
