package io.pageferry.agent.session;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestSetup.Freezing;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.room.HostRoom;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.link.LaneThreads;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.warmup.BackgroundWarmUp;
import io.pageferry.agent.session.warmup.JvmFlags;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.Guard;
import io.pageferry.agent.state.journal.GuestLock;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.MigrationJournal;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.handover.Ownership;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.SourceMigration;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.core.round.WriteThrottle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.agrona.CloseHelper;
import org.agrona.concurrent.SystemNanoClock;

/** Opens what a source session works with, in order, and closes it in reverse order. */
final class SourceOpening {
    private final UUID id;
    private final MigrateSettings settings;
    private final MigrationListener listener;
    private final Guard guard;
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private Supplier<Optional<String>> notices = Optional::empty;
    private MigrationJournal journal;
    private boolean refused;

    SourceOpening(UUID id, MigrateSettings settings, MigrationListener listener) {
        this.id = id;
        this.settings = settings;
        this.listener = listener;
        this.guard = settings.guest().guard().apply(Side.SOURCE, listener);
    }

    /** What is open: a guest, and a migration of it that begins at its first step. */
    record Opened(SourceGuest guest, SourceMigration migration, Report.Begin begin) { }

    /** Opens everything; waits for guest, guard and target. What is open stays so on failure. */
    Opened open() throws IOException {
        startGuard();
        BackgroundWarmUp warmUp = keep(BackgroundWarmUp.start(settings.guest().warmUp().get()));
        if (settings.options().codec() != CodecChoice.NONE) {
            JvmFlags.checkLz4(listener);
        }
        SourceGuest guest = keep(settings.guest().open(new GuestSetup(settings.tracker(), false,
                guard, settings.after(), null, settings.pauseLimit(),
                new Freezing(guard, settings.longestFreeze(), null),
                HostRoom.ofProcess().claim())));
        check(guest);
        StateDirectory directory = StateDirectory.open(settings.stateDirectory());
        requireElsewhere(guest, directory.path());
        keep(GuestLock.tryLock(GuestLock.identities(guest.identity(), guest.recoveryAddress()),
                guest::freezes).orElseThrow(() -> new GuestException(
                ErrorCode.BUSY, "a migration of this guest is under way already",
                "wait for it: pageferry status; or end the receive here that has its name")));
        requireSettled(guest, directory);
        Connector.Access connector = keep(settings.target().open());
        notices = connector::notice;
        journal = guard.journal(directory, header(guest));
        opened.push(this::closeJournal);
        // Before it connects: a target does not wait long for the first message.
        if (!guest.recoveryAddress().isEmpty()) {
            guard.watch(directory, id);
        }
        Report.Begin begin = new Report.Begin(id, guest.describe(), choices(guest),
                settings.guest().startupNanos());
        SourceLink link = keep(connector.connect());
        copyStorage(guest, link);
        SourceMigration migration = keep(new SourceMigration(new SourceParts(id, guest, link,
                connector, journal, SystemNanoClock.INSTANCE, listener,
                settings.options().withSlot(settings.slot()), warmUp::isOver)));
        keep(LaneThreads.start(migration::handOutLanes));
        return new Opened(guest, migration, begin);
    }

    /** Each decision is written there while the guest stands still. */
    private static void requireElsewhere(SourceGuest guest, Path state) throws GuestException {
        if (guest.freezes(state)) {
            throw new GuestException(ErrorCode.HOST_FAILED, "the state directory " + state
                    + " lies on a disk that is moved, and would be frozen with it",
                    "name one on another disk or in memory: --state-dir /run/pageferry-state");
        }
    }

    /** One that we paused and nobody let go on is not one that its operator wants paused. */
    private static void requireSettled(SourceGuest guest, StateDirectory directory)
            throws IOException {
        if (guest.isRunning()) {
            return;
        }
        for (FileJournal earlier : directory.all(line -> { })) {
            Ownership.Act left = earlier.ownership().next();
            if ((left == Ownership.Act.OWN || left == Ownership.Act.RESUME)
                    && earlier.ownership().ran() && guest.identity().equals(
                    earlier.header().recoveryAddress().get(JournalHeader.IDENTITY))) {
                UUID migration = earlier.header().migration();
                throw new GuestException(ErrorCode.BUSY, "the guest stands still because of"
                        + " migration " + migration + ", which is not settled",
                        "pageferry settle " + migration + ", then move it");
            }
        }
    }

    /** Early, where one will be needed, as it takes its time. That it cannot is said then. */
    private void startGuard() {
        String scheme = settings.guest().text().split(":", 2)[0];
        try {
            if (GuestKinds.find(scheme).filter(GuestKind::outlivesAgent).isPresent()) {
                guard.start();
            }
        } catch (IOException e) {
            return;
        }
    }

    private <T extends AutoCloseable> T keep(T part) {
        opened.push(part);
        return part;
    }

    /** Refuses a guest that cannot do what was asked for, and logs what was chosen for it. */
    private void check(SourceGuest guest) throws GuestException {
        listener.on(MigrationEvent.info("tracker: " + guest.tracker().name() + ", "
                + guest.trackerReason()));
        String kind = guest.describe().kind();
        if (settings.copyStorage() && !guest.canCopyStorage()) {
            throw new GuestException(ErrorCode.FEATURE_MISSING, "a " + kind
                    + " guest has no disks to copy", "leave --copy-storage out");
        }
        if (settings.after() == After.KEEP) {
            guest.keepWarning().ifPresent(line -> listener.on(MigrationEvent.warn(line)));
        }
        if (settings.isThrottled()) {
            checkThrottle(guest, kind);
        }
    }

    private void checkThrottle(SourceGuest guest, String kind) throws GuestException {
        WriteThrottle throttle = guest.throttle().orElseThrow(() -> new GuestException(
                ErrorCode.FEATURE_MISSING, "a " + kind + " guest cannot be throttled",
                "leave --throttle and --write-quota out; --max-downtime and"
                + " --on-no-convergence say what to do with a guest that writes fast"));
        if (settings.options().limits().throttling().quota() != null && !throttle.hasQuota()) {
            throw new GuestException(ErrorCode.FEATURE_MISSING, "the single writes of a " + kind
                    + " guest are not seen, so they have no quota",
                    "use --throttle auto with --policy downtime-budget, or"
                    + " --throttle PERCENT");
        }
        listener.on(MigrationEvent.info("throttle: " + throttle.name() + ", "
                + guest.throttleReason()));
    }

    private void copyStorage(SourceGuest guest, SourceLink link) throws GuestException {
        if (settings.copyStorage() && link.streams().isPresent()) {
            guest.copyStorage(link.streams().get(), settings.options().limits().bandwidth());
        }
    }

    private JournalHeader header(SourceGuest guest) {
        Map<String, String> recoveryAddress = new HashMap<>(guest.recoveryAddress());
        if (!recoveryAddress.isEmpty()) {
            settings.after().putInto(recoveryAddress);
            recoveryAddress.put(JournalHeader.IDENTITY, guest.identity());
            if (guest.throttle().isPresent()) {
                // It may be asked for while the guest moves.
                recoveryAddress.put(GuestKind.THROTTLED, "true");
            }
        }
        return new JournalHeader(JournalHeader.SCHEMA, id, Side.SOURCE, settings.guest().text(),
                settings.target().peer(), System.currentTimeMillis(), recoveryAddress);
    }

    private Report.Choices choices(SourceGuest guest) {
        return new Report.Choices(Optional.of(settings.options().limits().policy()),
                Optional.of(guest.tracker().name()), settings.options().channels(),
                Optional.of(settings.options().codec()), settings.target().transport(),
                settings.target().tls(), settings.options().verification(),
                guest.memoryAccess());
    }

    /** Logs what the way to the target has to say. */
    void logNotices() {
        notices.get().ifPresent(line -> listener.on(MigrationEvent.warn(line)));
    }

    /** Returns whether the guard process died: from now on a paused guest would stay so. */
    boolean isGuardLost() {
        return guard.isLost();
    }

    /** Leaves a guest that does not answer yet to the guard, which has it go on once it does. */
    Outcome leaveToGuard(Outcome outcome) {
        return journal.ownership().settled() ? outcome : guard.staysAfter(id, outcome);
    }

    /**
     * Closes what is open. Without a result the session broke, and its guard does the rest; it
     * needs the journal and the guest's lock for that.
     */
    void close(AgentResult result) {
        refused = result != null && result.outcome().result() == Result.REFUSED;
        boolean done = false;
        try {
            CloseHelper.closeAll(opened);
            done = result != null;
        } finally {
            if (done) {
                guard.close();
            } else {
                guard.abandon();
            }
        }
    }

    /** A migration that never was leaves no journal, if that can be. */
    private void closeJournal() {
        if (refused) {
            try {
                journal.delete();
            } catch (IOException e) {
                listener.on(MigrationEvent.warn("the journal of a refused migration stays: " + e));
            }
        }
        journal.close();
    }
}
