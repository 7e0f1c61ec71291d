package io.pageferry.core.simulation;

import io.pageferry.core.dirty.ScanTracker;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.incoming.TargetMigration;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.SourceMigration;
import io.pageferry.core.outgoing.session.SourceParts;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.testing.EventLog;
import io.pageferry.core.testing.ManualClock;
import io.pageferry.core.testing.RecordingListener;
import io.pageferry.core.testing.TestGate;
import io.pageferry.core.testing.TestGuest;
import io.pageferry.core.testing.TestImage;
import io.pageferry.core.testing.TestIncomingGuest;
import io.pageferry.core.testing.TestJournal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;

/**
 * One migration of which everything is drawn from a seed: the guest and how it writes, the link,
 * the limits, and what goes wrong: cuts of the link, a full disk, somebody who cancels, and an
 * agent that dies at any call of any port. Production code on both sides, and for the dead, see
 * {@link Recoveries}.
 */
final class Simulation implements AutoCloseable {
    private static final int CHANGE_ONCE_IN = 500;
    private static final int MOST_STEPS = 100_000;
    private static final int PATIENCE = 20;
    private static final long LONGEST_IDLE = 250_000_000L;
    /** Where a second has to be enough for RESUME, WELCOME and CANCEL, each at its turn. */
    private static final long SHORT_IDLE = 10_000_000L;

    final long seed;
    final Faults faults;
    final EventLog log = new EventLog();
    final ManualClock clock;
    final TestGuest guest;
    final TestIncomingGuest incoming;
    final TestJournal sourceJournal = new TestJournal("source", log);
    final TestJournal targetJournal = new TestJournal("target", log);
    final GuestWriter writer;
    final Wishes wishes;
    final SimulatedConnector connector;
    private final Random random;
    private final TestGate gate;
    private final Optional<ScanTracker> scanner;
    private final SimulatedListener listener;
    private final Recoveries recoveries;
    private final SourceMigration source;
    private final TargetMigration target;
    /** Of the operator who changes limits: apart, so that a seed stays what it was. */
    private final Random changes;
    private final long mostStepNanos;
    private boolean sourceDead;
    private boolean targetDead;
    private int targetDownSteps;
    private boolean restarted;
    private boolean targetRan;
    private int idle;
    private long longestStep;
    private long cancelledNanos;
    private long cleanNanos;

    Simulation(long seed, Mutant mutant) {
        this.seed = seed;
        this.random = new Random(seed);
        this.changes = new Random(~seed);
        this.clock = new ManualClock(random.nextLong());
        RegionTable regions = regions(random);
        this.guest = new TestGuest(regions, seed, log);
        this.incoming = new TestIncomingGuest(TestImage::new, log);
        this.gate = new TestGate(clock);
        guest.throttled(mutant == Mutant.THROTTLE_LEFT_ON ? new Mutants.StuckGate(gate) : gate);
        this.writer = new GuestWriter(guest, random, gate, clock);
        int pages = guest.workload().pages();
        guest.write(random.nextInt(2 * pages), pages);
        guest.stateTakes(random.nextInt(random.nextInt(8) == 0 ? 100_000 : 300),
                random.nextInt(3));
        this.faults = new Faults(random, mutant);
        faults.fillDisks(sourceJournal, targetJournal);
        faults.lock(guest, incoming);
        this.wishes = new Wishes(random, mutant);
        this.connector = new SimulatedConnector(clock, random, faults, mutant,
                () -> wishes.bytesPerSecond(!guest.isRunning()));
        UUID id = new UUID(seed, 1);
        this.listener = new SimulatedListener(connector, targetJournal);
        this.recoveries = new Recoveries(this, id, listener.others(), mutant);
        if (mutant == Mutant.CLEAR_AFTER_READ) {
            guest.show(new Mutants.LateClearing(guest.tracker(), pages));
        }
        this.scanner = wishes.scan ? Optional.of(new ScanTracker(guest.memory()))
                : Optional.empty();
        scanner.ifPresent(guest::show);
        this.source = new SourceMigration(new SourceParts(id, FusedPorts.guest(guest,
                faults.source), connector.atSource(listener.current()), listener,
                FusedPorts.journal(sourceJournal, faults.source), clock,
                new RecordingListener("source", log), wishes.source, () -> true));
        this.target = new TargetMigration(new TargetParts(connector.atTarget(listener.current()),
                FusedPorts.incoming(incoming, faults.target),
                any -> FusedPorts.journal(targetJournal, faults.target), new UUID(seed, 2), clock,
                new RecordingListener("target", log), wishes.target, () -> true));
        listener.serves(target);
        this.mostStepNanos = 1 + random.nextInt(300_000);
    }

    private static RegionTable regions(Random random) {
        List<Region> regions = new ArrayList<>();
        int count = 1 + random.nextInt(2);
        for (int i = 0; i < count; i++) {
            long pages = 1 + random.nextInt(24);
            regions.add(new Region(i, "ram" + i, i * (1L << 32), PageGeometry.bytesOf(pages),
                    PageGeometry.PAGE_SIZE));
        }
        return new RegionTable(regions);
    }

    /** Runs it to its end and checks that; throws an {@link AssertionError} that names the seed. */
    Verdict run() {
        try {
            for (int step = 0; !isOver(); step++) {
                check(step < MOST_STEPS, "does not end: " + source.state() + ", "
                        + target.state());
                step();
            }
            return new Verdict(this, outcome(source.outcome().orElse(null), sourceDead),
                    outcome(target.outcome().orElse(null), targetDead)).checked();
        } catch (RuntimeException | Error e) {
            throw new AssertionError("seed " + seed + ": " + e + "; " + faults + "; " + log,
                    e);
        }
    }

    private static Outcome outcome(Outcome real, boolean dead) {
        return dead ? null : real;
    }

    private boolean isOver() {
        boolean sourceOver = sourceDead ? recoveries.stepSource() : source.isDone();
        boolean targetOver = targetDead ? restarted : target.isDone();
        return sourceOver && targetOver;
    }

    private void step() {
        long nanos = idle < PATIENCE ? random.nextLong(mostStepNanos)
                : Math.min(faults.isSilent() ? SHORT_IDLE : LONGEST_IDLE,
                        mostStepNanos << Math.min(20, idle - PATIENCE));
        longestStep = Math.max(longestStep, nanos);
        clock.advance(nanos);
        if (guest.isRunning() && source.state().ordinal() < SourceState.OWNED.ordinal()) {
            writer.step();
        }
        faults.beforeStep(this);
        if (!sourceDead && changes.nextInt(CHANGE_ONCE_IN) == 0) {
            source.limits(wishes.others(changes));
        }
        recoveries.others();
        boolean first = random.nextBoolean();
        int work = work(first) + work(!first) + serve();
        idle = work == 0 ? idle + 1 : 0;
    }

    private int work(boolean atSource) {
        int work = 0;
        try {
            work = atSource ? workAtSource() : workAtTarget();
        } catch (SimulatedCrash e) {
            died(atSource, e);
        }
        checkOwners();
        return work;
    }

    /** New connections at the target's host, whose agent may die of them. */
    private int serve() {
        int work = 0;
        try {
            work = listener.serve();
        } catch (SimulatedCrash e) {
            died(false, e);
        }
        checkOwners();
        return work;
    }

    private void died(boolean atSource, SimulatedCrash crash) {
        log.add((atSource ? "source" : "target") + " died " + crash.getMessage());
        faults.died(atSource, crash.getMessage());
        if (atSource) {
            sourceDies();
        } else {
            targetDies();
        }
    }

    private int workAtSource() {
        if (sourceDead) {
            recoveries.stepSource();
            return 0;
        }
        int work = source.doWork();
        if (source.isDone()) {
            listener.current().source().close();
            recoveries.agentIsGone(true);
            settle(source.outcome().orElseThrow());
        }
        return work;
    }

    private int workAtTarget() {
        if (targetDead) {
            if (targetDownSteps >= 0 && targetDownSteps-- == 0) {
                recoveries.restartTarget();
            }
            if (targetDownSteps < 0 && !restarted && recoveries.stepTarget()) {
                restarted = true;
                listener.restarted();
            }
            return 0;
        }
        int work = target.doWork();
        if (target.isDone()) {
            listener.current().target().close();
            recoveries.agentIsGone(false);
            cleanNanos = clock.nanoTime();
        }
        return work;
    }

    /** An operator who is told how to settle does so. */
    private void settle(Outcome end) {
        if (end.result() == Outcome.Result.IN_DOUBT) {
            sourceDead = true;
            recoveries.settleSource();
        }
    }

    /** Its sockets close, and its guard acts at once. */
    private void sourceDies() {
        sourceDead = true;
        listener.cut(ErrorCode.LINK_LOST, "the source's agent died");
        recoveries.agentIsGone(true);
        recoveries.guardSource();
    }

    /** Its sockets close, and after a while it is started again. */
    private void targetDies() {
        targetDead = true;
        targetDownSteps = random.nextInt(30);
        recoveries.agentIsGone(false);
        listener.died();
        listener.cut(ErrorCode.LINK_LOST, "the target's agent died");
    }

    void cut(ErrorCode code) {
        listener.cut(code, "cut by the simulation");
    }

    /** Nothing arrives any more over the link at hand, and nobody is told. */
    void silence() {
        listener.current().silence();
    }

    boolean isLinkUp() {
        return listener.current().source().isUp();
    }

    void cancel(boolean atSource) {
        cancelledNanos = clock.nanoTime();
        if (atSource) {
            source.cancel();
        } else {
            target.cancel();
        }
    }

    /** Whether an agent has not died. */
    boolean lives(Outcome.Side side) {
        return side == Outcome.Side.SOURCE ? !sourceDead : !targetDead;
    }

    SourceMigration source() {
        return source;
    }

    TargetMigration target() {
        return target;
    }

    /** The longest time that the clock went on at once. */
    long longestStep() {
        return longestStep;
    }

    /** From the cancel until nothing of the migration was left at the target. */
    long cleanAfterNanos() {
        return cleanNanos - cancelledNanos;
    }

    private void checkOwners() {
        boolean here = guest.isRunning();
        targetRan |= incoming.isRunning();
        check(!here || !incoming.isRunning(), "two guests run");
        check(!here || !targetRan, "the source runs again after the target ran");
        check(!here || !mayRunThere(), "the source runs while the target may");
        boolean precopy = !sourceDead && (source.state() == SourceState.NEGOTIATING
                || source.state() == SourceState.PRECOPY);
        check(precopy || gate.percent() == 0 && gate.quota() == null,
                "the guest is still slowed down");
    }

    /** Whether the journals together leave the guest to the target. */
    boolean mayRunThere() {
        JournalState ours = state(sourceJournal);
        JournalState theirs = state(targetJournal);
        boolean no = theirs == JournalState.REFUSED || theirs == JournalState.RETURNED;
        return (ours == JournalState.GRANTED || ours == JournalState.DONE) && !no;
    }

    static JournalState state(TestJournal journal) {
        return journal.decision().map(entry -> entry.state()).orElse(null);
    }

    private void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    /** Frees both sides, guests and links. */
    @Override
    public void close() {
        source.close();
        target.close();
        guest.close();
        incoming.close();
        scanner.ifPresent(ScanTracker::close);
        connector.close();
    }
}
