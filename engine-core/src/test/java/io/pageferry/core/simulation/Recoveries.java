package io.pageferry.core.simulation;

import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Recovery;
import io.pageferry.core.handover.Recovery.Doubt;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.testing.EventLog;
import io.pageferry.core.testing.TestJournal;
import java.io.IOException;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;

/**
 * What is done for an agent that died, by production code: its guard, a restart, an operator who
 * settles. And what others try while the agents live, which the locks keep out: a STATUS that has
 * the target's journal recovered, and the settling of an earlier migration of the same guest.
 */
final class Recoveries {
    private static final long SETTLE_NANOS = 30_000_000_000L;
    private static final UUID EARLIER = new UUID(0, 1);
    private static final Object AGENT = "the agent";

    private final Simulation simulation;
    private final Mutant mutant;
    private final Random random;
    private final Abandoned source;
    private final Abandoned target;
    private final Abandoned earlier;
    private final Abandoned asked;
    private Recovery atSource;
    private boolean asking;
    private boolean refused;
    private Recovery atTarget;

    Recoveries(Simulation simulation, UUID id, LinkOpener opener, Mutant mutant) {
        this.simulation = simulation;
        this.mutant = mutant;
        this.random = new Random(simulation.seed + 1);
        SimulatedLock guest = new SimulatedLock();
        SimulatedHandles.AtSource handle = new SimulatedHandles.AtSource(simulation.guest);
        this.source = new Abandoned(id, Side.SOURCE, new Abandoned.Places(
                simulation.sourceJournal, new SimulatedLock(), handle, guest), "its guard",
                opener);
        this.earlier = new Abandoned(EARLIER, Side.SOURCE, new Abandoned.Places(diedInPause(),
                new SimulatedLock(), handle, guest), "who settles the earlier one", opener);
        this.target = new Abandoned(id, Side.TARGET, new Abandoned.Places(
                simulation.targetJournal, new SimulatedLock(),
                new SimulatedHandles.AtTarget(simulation.incoming, simulation),
                new SimulatedLock()), "its guard", opener);
        Abandoned.Places there = target.places();
        // The agent at the target lends the guest's lock: that of the journal has to do.
        this.asked = new Abandoned(id, Side.TARGET, new Abandoned.Places(there.journal(),
                there.journalLock(), there.handle(), new SimulatedLock()), "who is asked",
                opener);
        lock(source);
        lock(target);
    }

    private static void lock(Abandoned migration) {
        migration.places().guestLock().tryLock(AGENT);
        migration.places().journalLock().tryLock(AGENT);
    }

    /** The agent and its guard died, and the guest was let go by hand. */
    private static TestJournal diedInPause() {
        TestJournal journal = new TestJournal("earlier", new EventLog());
        try {
            journal.write(new JournalRecord(JournalState.SWITCHOVER, 1, true, ""));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return journal;
    }

    /** An agent ended or died: its locks are free. */
    void agentIsGone(boolean atTheSource) {
        Abandoned gone = atTheSource ? source : target;
        gone.places().journalLock().free(AGENT);
        gone.places().guestLock().free(AGENT);
    }

    /** The guard of a source acts at once; in doubt, an operator asks the target. */
    void guardSource() {
        begin(source, Doubt.STAY_PAUSED);
    }

    /** An operator asks the target. */
    void settleSource() {
        simulation.faults.settled();
        begin(source, Doubt.ASK_TARGET);
    }

    /** A later agent finds the journal. */
    void restartTarget() {
        begin(target, Doubt.STAY_PAUSED);
    }

    private void begin(Abandoned migration, Doubt doubt) {
        Recovery recovery = recovery(migration, doubt);
        if (migration.side() == Side.SOURCE) {
            atSource = recovery;
            asking = doubt == Doubt.ASK_TARGET;
            stepSource();
        } else {
            atTarget = recovery;
        }
    }

    private Recovery recovery(Abandoned migration, Doubt doubt) {
        return new Recovery(Mutants.of(migration, mutant),
                new Recovery.Options(doubt, SETTLE_NANOS, SETTLE_NANOS), simulation.clock,
                line -> simulation.log.add("recovery: " + line));
    }

    /** Steps what is done for the source; returns whether that is over. */
    boolean stepSource() {
        if (atSource != null && isOver(atSource, simulation.sourceJournal)) {
            Optional<Result> end = atSource.result();
            atSource = null;
            if (end.isEmpty()) {
                begin(source, asking ? Doubt.ASK_TARGET : Doubt.STAY_PAUSED);
            } else if (end.get() == Result.IN_DOUBT && !asking) {
                settleSource();
            }
        }
        return atSource == null;
    }

    /** Steps what is done for the target; returns whether that is over. */
    boolean stepTarget() {
        if (isOver(atTarget, simulation.targetJournal)) {
            boolean again = atTarget.result().isEmpty() && !refused;
            atTarget = null;
            if (again) {
                restartTarget();
            }
        }
        return atTarget == null;
    }

    /** Does all that is due; returns whether it is over, also by a full disk, which is freed. */
    private boolean isOver(Recovery recovery, TestJournal journal) {
        boolean over = true;
        try {
            while (!recovery.isDone() && recovery.doWork() > 0) {
                continue;
            }
            over = recovery.isDone();
        } catch (GuestException e) {
            // Nobody can know whether it ran.
            refused = true;
        } catch (IOException e) {
            journal.failNoMore();
        }
        if (over) {
            recovery.close();
        }
        return over;
    }

    /** Somebody else tries to recover, while the agents live; where it matters, half the time. */
    void others() {
        if (simulation.lives(Side.TARGET) && simulation.target().state() == TargetState.READY
                && random.nextBoolean()) {
            tries(asked, Faults.STATUS_MEANWHILE);
        }
        if (simulation.lives(Side.SOURCE) && simulation.source().state() == SourceState.GRANTED
                && random.nextBoolean()) {
            tries(earlier, Faults.SETTLED_MEANWHILE);
        }
    }

    private void tries(Abandoned migration, String what) {
        Recovery recovery = new Recovery(Mutants.of(migration, mutant),
                new Recovery.Options(Doubt.STAY_PAUSED, 0, 0), simulation.clock, line -> { });
        try (recovery) {
            while (!recovery.isDone() && recovery.doWork() > 0) {
                continue;
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        recovery.missing().ifPresent(lock -> simulation.faults.keptOut(what));
    }
}
