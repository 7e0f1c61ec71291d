package io.pageferry.agent.session;

import io.pageferry.agent.guest.DiskCopies;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.agent.report.Report;
import io.pageferry.core.dirty.MemoryMap;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.SourceMigration;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.round.MigrationLimits;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import java.util.function.IntSupplier;
import org.agrona.concurrent.SystemNanoClock;

/** Moves one guest away: opens what that needs, drives the migration, and closes everything. */
public final class SourceSession implements FiniteAgent {
    /** How often the progress of the disks is logged. */
    private static final long STORAGE_NANOS = 5_000_000_000L;

    private final UUID id;
    private final MigrateSettings settings;
    private final MigrationListener listener;
    private final SourceOpening opening;
    private IntSupplier phase = () -> 0;
    private AgentResult result;
    /** Guards what follows. */
    private final Object limitsLock = new Object();
    private MigrationLimits limits;
    private SourceMigration migration;
    private volatile boolean cancelled;

    /**
     * Makes a session of a migration that is named here.
     *
     * @param settings what to do
     * @param listener receives events
     */
    public SourceSession(MigrateSettings settings, MigrationListener listener) {
        this(UUID.randomUUID(), settings, listener);
    }

    /**
     * Makes a session.
     *
     * @param id       names the migration for ever; never used before
     * @param settings what to do
     * @param listener receives events
     */
    public SourceSession(UUID id, MigrateSettings settings, MigrationListener listener) {
        this.id = id;
        this.settings = settings;
        this.listener = listener;
        this.limits = settings.options().limits();
        this.opening = new SourceOpening(id, settings, listener);
    }

    /**
     * Moves the guest, on the calling thread.
     *
     * @return how it ended
     * @throws IllegalArgumentException when the guest's URI makes no sense
     */
    public AgentResult run() {
        AgentLoop.run(this);
        return result;
    }

    /** Requests a cancel; from any thread. */
    public void cancel() {
        cancelled = true;
    }

    /**
     * Changes the limits, from the next decision on; from any thread, before it runs too. What was
     * changed stands in the report and is logged. Of times, those that bound how long a guest may
     * take to pause stay as they were.
     *
     * @param others that are to hold; the policy stays
     * @throws IllegalArgumentException when they make no sense, or another policy, or want a
     *                                  throttle that the guest has not, or another bandwidth for
     *                                  a move that copies disks; nothing is changed then
     */
    public void limits(MigrationLimits others) {
        if (settings.copyStorage()
                && !others.bandwidth().equals(settings.options().limits().bandwidth())) {
            throw new IllegalArgumentException("the bandwidth of a move that copies disks stays"
                    + " as it began");
        }
        synchronized (limitsLock) {
            if (migration != null) {
                migration.limits(others);
            }
            limits = others;
        }
    }

    /** {@return the limits that were asked for last} */
    public MigrationLimits limits() {
        synchronized (limitsLock) {
            return limits;
        }
    }

    /**
     * Shows where the guest's memory is on its way, see {@link SourceMigration#map}; from any
     * thread.
     *
     * @return the map that was made last; empty where none was, also before the move begins
     */
    public Optional<MemoryMap> map() {
        synchronized (limitsLock) {
            return migration == null ? Optional.empty() : migration.map();
        }
    }

    /** {@return how it ended, once it is done} */
    public AgentResult result() {
        return result;
    }

    @Override
    public String roleName() {
        return "source " + id;
    }

    @Override
    public void onStart() {
        try {
            SourceOpening.Opened opened = opening.open();
            begin(opened.migration());
            phase = new Driving(opened);
        } catch (IOException e) {
            result = AgentResult.refused(Side.SOURCE, e);
        }
    }

    /** What was asked for by now holds from the beginning, where the guest can do it. */
    private void begin(SourceMigration opened) {
        synchronized (limitsLock) {
            try {
                if (!limits.equals(settings.options().limits())) {
                    opened.limits(limits);
                }
            } catch (IllegalArgumentException e) {
                limits = settings.options().limits();
                listener.on(MigrationEvent.warn("the limits stay as they were: "
                        + e.getMessage()));
            }
            migration = opened;
        }
    }

    @Override
    public int doWork() {
        return phase.getAsInt();
    }

    @Override
    public boolean isDone() {
        return result != null;
    }

    @Override
    public void onClose() {
        opening.close(result);
    }

    /** Drives the migration. */
    private final class Driving implements IntSupplier {
        private final SourceOpening.Opened opened;
        private final SourceMigration migration;
        private boolean warned;
        private long told = SystemNanoClock.INSTANCE.nanoTime();

        Driving(SourceOpening.Opened opened) {
            this.opened = opened;
            this.migration = opened.migration();
        }

        @Override
        public int getAsInt() {
            if (cancelled) {
                migration.cancel();
            }
            if (opening.isGuardLost() && !warned) {
                warned = true;
                onGuardLost();
            }
            if (SystemNanoClock.INSTANCE.nanoTime() - told >= STORAGE_NANOS) {
                told = SystemNanoClock.INSTANCE.nanoTime();
                opened.guest().copied().flatMap(DiskCopies::underWay)
                        .ifPresent(words -> listener.on(MigrationEvent.info(words)));
            }
            opening.logNotices();
            int work = migration.doWork();
            migration.outcome().ifPresent(outcome -> phase = ended(opened, outcome));
            return work;
        }

        /** Without a guard, no process would resume a paused guest, so none may be paused. */
        private void onGuardLost() {
            listener.on(MigrationEvent.warn("the guard process ended"));
            if (migration.state() == SourceState.NEGOTIATING
                    || migration.state() == SourceState.PRECOPY) {
                migration.fail("the guard process ended");
            }
        }
    }

    /** A guest that dies with its agent runs on here for a while, if it stays. */
    private IntSupplier ended(SourceOpening.Opened opened, Outcome outcome) {
        boolean outlives = !opened.guest().recoveryAddress().isEmpty();
        if (outlives) {
            // It lives on: a fork of it does not wait until a silent link is closed.
            opened.guest().tracker().close();
        }
        boolean stays = outcome.result() != Result.COMPLETED && outcome.result() != Result.IN_DOUBT;
        long linger = stays && !outlives ? settings.lingerNanos() : 0;
        Outcome end = outlives && outcome.isGuestSilent() ? opening.leaveToGuard(outcome) : outcome;
        long since = SystemNanoClock.INSTANCE.nanoTime();
        return () -> {
            if (SystemNanoClock.INSTANCE.nanoTime() - since >= linger) {
                result = new AgentResult(end, report(opened, end));
            }
            return 0;
        };
    }

    private Report report(SourceOpening.Opened opened, Outcome outcome) {
        SourceGuest guest = opened.guest();
        if (outcome.result() == Result.COMPLETED || outcome.result() == Result.IN_DOUBT
                || outcome.result() == Result.FAILED_AT_TARGET) {
            guest.leftHere().ifPresent(line -> listener.on(MigrationEvent.warn(line)));
        }
        guest.unread().ifPresent(unread -> listener.on(MigrationEvent.warn(unread.line())));
        Report report = Report.ofSource(opened.begin(), outcome, opened.migration().figures(),
                new Report.OfGuest(guest.check(), guest.copied(), Optional.empty(),
                        guest.drained(), guest.unread()));
        if (!settings.isThrottled() && !limits().throttling().isAsked()) {
            return report;
        }
        guest.throttleTrouble().ifPresent(what -> listener.on(MigrationEvent.warn(what)));
        return guest.throttle().map(throttle -> report.slowedBy(throttle.name())).orElse(report);
    }
}
