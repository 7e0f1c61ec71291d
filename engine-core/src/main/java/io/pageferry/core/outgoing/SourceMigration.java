package io.pageferry.core.outgoing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.dirty.MemoryMap;
import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.image.HostFaults;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationSnapshot;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.phase.Ended;
import io.pageferry.core.outgoing.phase.Negotiating;
import io.pageferry.core.outgoing.phase.Phase;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.precopy.RoundLane;
import io.pageferry.core.precopy.RoundRunner;
import io.pageferry.core.round.MigrationLimits;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Drives the source's phases: the source rows of the tables of docs/PROTOCOL.md. A duty cycle
 * drives it: call {@link #doWork} until {@link #isDone}. It starts no thread and never waits,
 * but for the guest's own acts. One thread calls everything but {@link #cancel}, {@link #limits}
 * and {@link #map}, and the lanes that {@link #handOutLanes} gave away.
 *
 * <p>The rule that it protects: the guest here is resumed in every state but GRANTED, and in
 * GRANTED only after the target's durable no.
 */
public final class SourceMigration implements LinkHandler, AutoCloseable {
    /** An act of a phase. */
    @FunctionalInterface
    private interface Act {
        Phase run() throws IOException;
    }

    private final SourceContext context;
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private Phase phase;
    private volatile MigrationSnapshot snapshot;
    private final AtomicBoolean mapWanted = new AtomicBoolean();
    private volatile MemoryMap map;

    /**
     * Makes a migration that begins at the first {@link #doWork}.
     *
     * @param parts what it works with; stays the caller's
     */
    public SourceMigration(SourceParts parts) {
        this.context = new SourceContext(parts);
        this.phase = new Negotiating(context);
        this.snapshot = context.publish(phase.state());
    }

    /**
     * Does what can be done now.
     *
     * @return how much that was; 0 when there is nothing to do at the moment
     */
    public int doWork() {
        if (isDone()) {
            return 0;
        }
        int work = 0;
        try {
            work = phase.poll(this) + context.outbox().flush();
            if (cancelled.get()) {
                go(() -> phase.cancel());
            }
            if (context.limits().take()) {
                work++;
            }
            go(() -> phase.turn(context.now()));
        } catch (RuntimeException | VirtualMachineError e) {
            // None may leave a guest paused that is ours, a fault in a file that was cut short
            // (InternalError) neither. From the grant on nothing may be done.
            RuntimeException known = e instanceof VirtualMachineError error
                    ? HostFaults.asException(error, "its file was cut short")
                    : (RuntimeException) e;
            Outcome why = known instanceof PagedMemory.GoneException gone
                    ? Outcome.of(Result.GUEST_ENDED, ErrorCode.GUEST_ENDED,
                            gone.getCause().getMessage(), Side.SOURCE)
                    : known instanceof UncheckedIOException failed
                    ? Outcome.of(Result.FAILED, ErrorCode.HOST_FAILED,
                            "the guest's memory cannot be read: "
                            + failed.getCause().getMessage(), Side.SOURCE)
                    : Outcome.of(Result.BUG, ErrorCode.INTERNAL, String.valueOf(e), Side.SOURCE);
            Phase following = phase.fail(why.causedBy(e));
            if (following == phase) {
                throw e;
            }
            go(() -> following);
        }
        work += context.progress().takeWork();
        if (work > 0) {
            snapshot = context.publish(phase.state());
        }
        if (mapWanted.compareAndSet(true, false)) {
            RoundRunner runner = context.runner();
            map = runner.map(context.progress().walked() >= runner.counter().round());
        }
        return work;
    }

    /**
     * Hands out lanes that encode pages beside this migration's thread, each to be driven by one
     * thread of the caller's; before the first {@link #doWork}. Those threads have to be over when
     * this migration is closed.
     *
     * @param most at most so many; there are as many as data channels, but for one, which stays
     * @return the lanes
     */
    public List<RoundLane> handOutLanes(int most) {
        return context.runner().handOut(most);
    }

    /** Requests the end; from any thread. Before the grant the guest runs on here, after it not. */
    public void cancel() {
        cancelled.set(true);
    }

    /**
     * Changes the limits, from the next decision on; from any thread. From the pause on only what
     * bounds that is looked at.
     *
     * @param others that are to hold; the policy stays
     * @throws IllegalArgumentException when they make no sense or another policy, or want a
     *                                  throttle that the guest has not
     */
    public void limits(MigrationLimits others) {
        context.limits().ask(others);
    }

    /**
     * Ends the migration for a reason of the host's; without effect from the grant on. On the
     * migration's thread.
     *
     * @param reason why, in words
     */
    public void fail(String reason) {
        go(() -> phase.fail(Outcome.of(Result.FAILED, ErrorCode.HOST_FAILED, reason,
                Side.SOURCE)));
    }

    /** {@return whether the migration ended} */
    public boolean isDone() {
        return phase instanceof Ended;
    }

    /** {@return how it ended, or empty while it goes on} */
    public Optional<Outcome> outcome() {
        return phase instanceof Ended ended ? Optional.of(ended.outcome()) : Optional.empty();
    }

    /** {@return the state} */
    public SourceState state() {
        return phase.state();
    }

    /** {@return where it is since it last did something; to any thread} */
    public MigrationSnapshot snapshot() {
        return snapshot;
    }

    /**
     * Shows where the guest's memory is on its way, from any thread. Only while somebody asks is a
     * map made: by the migration's thread, at the end of its next duty cycle.
     *
     * @return the map that was made last, empty where none was
     */
    public Optional<MemoryMap> map() {
        mapWanted.set(true);
        return Optional.ofNullable(map);
    }

    /** {@return what was measured} */
    public MigrationFigures figures() {
        return context.figures();
    }

    /** Frees what the migration made itself. */
    @Override
    public void close() {
        context.close();
    }

    @Override
    public void onMessage(Message message) {
        go(() -> phase.on(message));
    }

    @Override
    public void onBatch(PageBatch batch) {
        go(() -> phase.targetFailed(ErrorCode.PROTOCOL_VIOLATION, "the target sent pages"));
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        go(() -> phase.lost(code, reason));
    }

    /** Runs an act of the phase, and begins those that follow. */
    private void go(Act act) {
        Phase following = result(act);
        while (following != phase) {
            SourceState before = phase.state();
            phase = following;
            if (phase.state() != before) {
                context.announce(phase.state());
                snapshot = context.publish(phase.state());
            }
            following = result(phase::begin);
        }
    }

    /** Runs an act of the phase; one that fails is a failure of that phase. */
    private Phase result(Act act) {
        try {
            return act.run();
        } catch (GuestException e) {
            return phase.fail(Outcome.of(e.code() == ErrorCode.GUEST_ENDED ? Result.GUEST_ENDED
                    : Result.FAILED, e.code(), e.getMessage(), Side.SOURCE)
                    .withRemedy(e.remedy()).causedBy(e));
        } catch (IOException e) {
            return phase.fail(Outcome.of(Result.FAILED, ErrorCode.HOST_FAILED, e.getMessage(),
                    Side.SOURCE).causedBy(e));
        }
    }
}
