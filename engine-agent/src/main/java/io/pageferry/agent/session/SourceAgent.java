package io.pageferry.agent.session;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.guest.GuestHandle;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.StreamTransport;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.link.Duty;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.state.guard.AgentGuard;
import io.pageferry.agent.state.guard.GuardException;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.HeldLock;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.page.Lz4Codec;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.MigrationListener.Level;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.SourceMigration;
import io.pageferry.core.outgoing.SourceParts;
import io.pageferry.core.outgoing.SourceState;
import io.pageferry.core.round.WriteThrottle;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.NettySourceLink;
import io.pageferry.transport.netty.TransportOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Moves one guest away: opens what a migration needs, in order, runs it on the calling thread, and
 * closes everything, in reverse order.
 */
public final class SourceAgent {
    /** How often it is said how far the disks are. */
    private static final long STORAGE_NANOS = 5_000_000_000L;

    private final MigrateSettings settings;
    private final MigrationListener listener;
    private final TransportOptions transport = TransportOptions.defaults(SystemNanoClock.INSTANCE);
    private final UUID id;
    private final AgentGuard guard;
    private volatile SourceMigration running;
    private volatile boolean cancelled;

    /**
     * Makes an agent.
     *
     * @param settings what to do
     * @param listener hears how it goes
     */
    public SourceAgent(MigrateSettings settings, MigrationListener listener) {
        this(UUID.randomUUID(), settings, listener);
    }

    /**
     * Makes an agent of a migration that has a name already.
     *
     * @param id       names it for ever; never used before
     * @param settings what to do
     * @param listener hears how it goes
     */
    public SourceAgent(UUID id, MigrateSettings settings, MigrationListener listener) {
        this.id = id;
        this.settings = settings;
        this.listener = listener;
        this.guard = new AgentGuard(Side.SOURCE, listener);
    }

    /**
     * Moves the guest.
     *
     * @return how it ended
     * @throws IllegalArgumentException when the guest's URI makes no sense
     */
    public AgentResult run() {
        AgentResult result = null;
        try {
            result = opened();
        } finally {
            if (result != null) {
                guard.close();
            } else {
                guard.abandon();
            }
        }
        return result;
    }

    private AgentResult opened() {
        GuestSetup setup = new GuestSetup(settings.tracker(), false, guard,
                settings.after());
        settings.guest().rehearse(transport);
        if (settings.options().codec() != CodecChoice.NONE) {
            sayMissingFlag(listener);
        }
        try (SourceGuest guest = settings.guest().open(setup)) {
            listener.log(Level.INFO, "tracker: " + guest.tracker().name() + ", "
                    + guest.trackerReason());
            if (settings.copyStorage() && !guest.canCopyStorage()) {
                return nothing(ErrorCode.FEATURE_MISSING, "a " + guest.describe().kind()
                        + " guest has no disks to copy", Side.SOURCE, "leave --copy-storage out");
            }
            if (settings.after() == After.KEEP) {
                guest.keepWarning().ifPresent(line -> listener.log(Level.WARN, line));
            }
            Optional<AgentResult> refused = refusedThrottle(guest);
            return refused.isPresent() ? refused.get() : locked(guest);
        } catch (GuestException e) {
            return nothing(e.code(), e.getMessage(), Side.SOURCE, e.remedy());
        }
    }

    private Optional<AgentResult> refusedThrottle(SourceGuest guest) {
        if (!isThrottled()) {
            return Optional.empty();
        }
        Optional<WriteThrottle> throttle = guest.throttle();
        if (throttle.isEmpty()) {
            return Optional.of(nothing(ErrorCode.FEATURE_MISSING, "a " + guest.describe().kind()
                    + " guest cannot be throttled", Side.SOURCE,
                    "leave --throttle and --write-quota out; --max-downtime and"
                    + " --on-no-convergence say what to do with a guest that writes fast"));
        }
        if (settings.options().limits().throttling().quota() != null
                && !throttle.get().hasQuota()) {
            return Optional.of(nothing(ErrorCode.FEATURE_MISSING, "the single writes of a "
                    + guest.describe().kind() + " guest are not seen, so they have no quota",
                    Side.SOURCE, "use --throttle auto with --policy downtime-budget, or"
                    + " --throttle PERCENT"));
        }
        listener.log(Level.INFO, "throttle: " + throttle.get().name() + ", "
                + guest.throttleReason());
        return Optional.empty();
    }

    /** Only an embedder's JVM can lack it; both sides work without. */
    static void sayMissingFlag(MigrationListener listener) {
        Lz4Codec.missingFlag().ifPresent(flag -> listener.log(Level.WARN,
                "LZ4 runs without native code, several times slower: this JVM lacks " + flag));
    }

    private boolean isThrottled() {
        return settings.options().limits().throttling().isAsked();
    }

    /** Asks for the end; from any thread. */
    public void cancel() {
        cancelled = true;
        SourceMigration migration = running;
        if (migration != null) {
            migration.cancel();
        }
    }

    private AgentResult locked(SourceGuest guest) {
        try {
            StateDirectory directory = StateDirectory.open(settings.stateDirectory());
            Optional<HeldLock> lock = directory.lockGuest(guest.identity());
            if (lock.isEmpty()) {
                return nothing(ErrorCode.BUSY, "a migration of this guest is under way already",
                        Side.SOURCE, "wait for it: pageferry status");
            }
            HeldLock held = lock.get();
            try (held) {
                return connected(guest, directory);
            }
        } catch (GuardException e) {
            return nothing(ErrorCode.HOST_FAILED, e.getMessage(), Side.SOURCE,
                    e.remedy());
        } catch (IOException e) {
            return nothing(ErrorCode.HOST_FAILED, e.getMessage(), Side.SOURCE,
                    "look at --state-dir");
        }
    }

    private AgentResult connected(SourceGuest guest, StateDirectory directory)
            throws IOException {
        try (Connector.Access connector = settings.target().open();
                FileJournal journal = directory.create(header(guest))) {
            // Before it connects: a target does not wait long for the first word of who came.
            watch(guest, directory, journal);
            AgentResult result = connected(guest, journal, connector);
            if (result.outcome().result() == Result.REFUSED) {
                forget(journal);
            }
            return result;
        }
    }

    private void watch(SourceGuest guest, StateDirectory directory, FileJournal journal)
            throws IOException {
        if (guest.recoveryAddress().isEmpty()) {
            return;
        }
        boolean watched = false;
        try {
            guard.watch(directory, id, guest.identity());
            watched = true;
        } finally {
            if (!watched) {
                forget(journal);
            }
        }
    }

    private AgentResult connected(SourceGuest guest, FileJournal journal,
            Connector.Access connector) {
        long startup;
        SourceLink link;
        try {
            startup = settings.guest().startupNanos();
            link = connector.connect();
        } catch (TransportException e) {
            return nothing(e.code(), e.getMessage(), Side.TARGET,
                    "start pageferry receive there, and look at address and port");
        }
        try (link) {
            copyStorage(guest, link);
            return migrate(guest, journal, new Connection(connector, link, startup));
        } catch (GuestException e) {
            return nothing(e.code(), e.getMessage(), Side.SOURCE, e.remedy());
        }
    }

    private void copyStorage(SourceGuest guest, SourceLink link) throws GuestException {
        if (settings.copyStorage() && link instanceof NettySourceLink netty) {
            guest.copyStorage(new StreamTransport(netty::sendStreamed, netty::streamsTo,
                    netty::isUp,
                    netty::silentNanos),
                    settings.options().limits().bandwidth());
        }
    }

    /** The road to the target. */
    private record Connection(Connector.Access connector, SourceLink link, long startup) { }

    private AgentResult migrate(SourceGuest guest, FileJournal journal, Connection connection) {
        SourceParts parts = new SourceParts(id, guest, connection.link(),
                connection.connector(), journal, SystemNanoClock.INSTANCE, listener,
                settings.options());
        Report.Begin begin = new Report.Begin(id, guest.describe(), choices(guest),
                connection.startup());
        try (SourceMigration migration = new SourceMigration(parts)) {
            running = migration;
            if (cancelled) {
                migration.cancel();
            }
            drive(migration, guest);
            if (!guest.recoveryAddress().isEmpty()) {
                // It lives on: a fork of it does not wait until a silent link is closed.
                guest.tracker().close();
            }
            Outcome outcome = migration.outcome().orElseThrow();
            Optional<GuestCheck> check = check(guest, outcome);
            Report report = Report.ofSource(begin, outcome, migration.figures(),
                    new Report.OfGuest(check, guest.copied()));
            if (isThrottled()) {
                report = guest.throttle().map(WriteThrottle::name).map(report::slowedBy)
                        .orElse(report);
                guest.throttleTrouble().ifPresent(what -> listener.log(Level.WARN, what));
            }
            return new AgentResult(outcome, report);
        } finally {
            running = null;
        }
    }

    /** A migration that never was leaves no trace, if that can be. */
    private void forget(FileJournal journal) {
        try {
            Files.deleteIfExists(journal.path());
        } catch (IOException e) {
            listener.log(Level.WARN, "the journal of a refused migration stays: " + e);
        }
    }

    private void drive(SourceMigration migration, SourceGuest guest) {
        IdleStrategy idle = Duty.idle();
        boolean warned = false;
        long told = SystemNanoClock.INSTANCE.nanoTime();
        while (!migration.isDone()) {
            if (guard.isLost() && !warned) {
                warned = true;
                listener.log(Level.WARN, "the guard process ended");
                // Nothing may be paused that nobody would resume.
                if (migration.state() == SourceState.NEGOTIATING
                        || migration.state() == SourceState.PRECOPY) {
                    migration.fail("the guard process ended");
                }
            }
            if (SystemNanoClock.INSTANCE.nanoTime() - told >= STORAGE_NANOS) {
                told = SystemNanoClock.INSTANCE.nanoTime();
                guest.copied().flatMap(StreamTransport.Copied::underWay)
                        .ifPresent(words -> listener.log(Level.INFO, words));
            }
            idle.idle(migration.doWork());
        }
    }

    private Optional<GuestCheck> check(SourceGuest guest, Outcome outcome) {
        boolean stays = outcome.result() != Result.COMPLETED && outcome.result() != Result.IN_DOUBT;
        if (stays && guest.recoveryAddress().isEmpty()) {
            LockSupport.parkNanos(settings.lingerNanos());
        }
        return guest.check();
    }

    private JournalHeader header(SourceGuest guest) {
        Map<String, String> recoveryAddress = new HashMap<>(guest.recoveryAddress());
        if (!recoveryAddress.isEmpty()) {
            settings.after().putInto(recoveryAddress);
            recoveryAddress.put(JournalHeader.IDENTITY, guest.identity());
            if (isThrottled()) {
                recoveryAddress.put(GuestHandle.THROTTLED, "true");
            }
        }
        return new JournalHeader(JournalHeader.SCHEMA, id, Side.SOURCE, settings.guest().text(),
                settings.target().peer(), System.currentTimeMillis(), recoveryAddress);
    }

    private Report.Choices choices(SourceGuest guest) {
        return new Report.Choices(Optional.of(settings.options().limits().policy()),
                Optional.of(guest.tracker().name()), settings.options().channels(),
                Optional.of(settings.options().codec()), settings.target().transport(),
                settings.options().verification());
    }

    private static AgentResult nothing(ErrorCode code, String reason, Side side, String remedy) {
        return AgentResult.ofNothing(Side.SOURCE,
                Outcome.of(Result.REFUSED, code, reason, side).withRemedy(remedy));
    }
}
