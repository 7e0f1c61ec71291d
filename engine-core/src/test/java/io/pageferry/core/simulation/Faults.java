package io.pageferry.core.simulation;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.testing.TestGuest;
import io.pageferry.core.testing.TestIncomingGuest;
import io.pageferry.core.testing.TestJournal;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** What goes wrong in one simulation, drawn before it begins, and what of it happened. */
final class Faults {
    private static final List<JournalState> SOURCE_RECORDS = List.of(JournalState.SWITCHOVER,
            JournalState.GRANTED, JournalState.OWNED, JournalState.DONE);

    /** Not the target's no: where that is not durable, no guest is left that could run. */
    private static final List<JournalState> TARGET_RECORDS = List.of(JournalState.PREPARED,
            JournalState.ACTIVE, JournalState.RUNNING);

    /** Word of {@link #happened}. */
    static final String CANCEL_WHILE_LOST = "cancel while the link is lost";

    /** Word of {@link #happened}. */
    static final String CANCEL_OVER_SILENCE = "cancel over a silent link";

    /** Word of {@link #happened}. */
    static final String DAMAGED = "payload damaged";

    /** Word of {@link #happened}. */
    static final String STATUS_MEANWHILE = "a STATUS for a running migration, kept out";

    /** Word of {@link #happened}. */
    static final String SETTLED_MEANWHILE = "an earlier migration settled, kept out";

    /** After so long without a byte a link counts as lost (PROTOCOL.md, 10). */
    private static final long SILENCE_NANOS = 10_000_000_000L;

    /** When a link may be cut; READY is the target's, the others are the source's. */
    private enum Moment { NEGOTIATING, PRECOPY, SWITCHOVER, READY, GRANTED }

    /** Acts that want a target that says no. */
    private static final Set<String> AFTER_A_NO = Set.of("J(OWNED)", "resume", "J(REFUSED)",
            "discard", "send Refused");

    final Fuse source;
    final Fuse target;
    private final Random random;
    private final Mutant mutant;
    private final List<String> happened = new ArrayList<>();
    private final boolean cancelAtSource;
    private final boolean cancelWhileLost;
    private final boolean cancelOverSilence;
    private boolean silent;
    private long lostNanos;
    private Moment cutAt;
    private int cutsToCome;
    private int untilCut;
    private int untilCancel;
    private boolean cancelInReady;
    private boolean planned;

    Faults(Random from, Mutant mutant) {
        long seed = from.nextLong();
        this.random = new Random(seed);
        this.mutant = mutant;
        int kind = mutant == Mutant.NO_GENERATION ? 0 : random.nextInt(10);
        source = kind == 1 || kind == 2 || kind == 5
                ? Fuse.drawn(random, Fuse.SOURCE_ACTS) : Fuse.none();
        target = kind == 3 || kind == 4 || kind == 5
                ? Fuse.drawn(random, Fuse.TARGET_ACTS) : Fuse.none();
        cutsToCome = kind >= 5 && kind < 8 ? 1 + random.nextInt(3) : 0;
        cutAt = Moment.values()[random.nextInt(Moment.values().length)];
        if (AFTER_A_NO.contains(source.act()) || AFTER_A_NO.contains(target.act())) {
            cancelInReady = random.nextInt(3) == 0;
            cutsToCome = cancelInReady ? 0 : 1;
            cutAt = random.nextInt(3) == 0 ? Moment.SWITCHOVER : Moment.READY;
        }
        untilCut = untilCut();
        cancelWhileLost = kind >= 5 && kind < 8 && random.nextInt(4) == 0;
        untilCancel = kind == 8 ? random.nextInt(120) : cancelWhileLost ? random.nextInt(3) : -1;
        cancelAtSource = random.nextBoolean();
        planned = kind != 0 && kind != 9;
        cancelOverSilence = kind == 8 && random.nextInt(3) == 0;
    }

    /** Ready and granted do not last. */
    private int untilCut() {
        return cutAt.ordinal() >= Moment.READY.ordinal() ? random.nextInt(3) : random.nextInt(25);
    }

    /** Lets a journal refuse one kind of record, in one simulation of twenty. */
    void fillDisks(TestJournal atSource, TestJournal atTarget) {
        if (mutant != Mutant.NONE || random.nextInt(20) != 0) {
            return;
        }
        boolean here = random.nextBoolean();
        List<JournalState> records = here ? SOURCE_RECORDS : TARGET_RECORDS;
        JournalState state = records.get(random.nextInt(records.size()));
        (here ? atSource : atTarget).failOn(state, random.nextBoolean());
        planned = true;
        happened.add("disk full at " + state);
    }

    /** Lets the resume fail, in one simulation of ten: at the target, or for a while at home. */
    void lock(TestGuest guest, TestIncomingGuest incoming) {
        int which = mutant == Mutant.NONE ? random.nextInt(40) : -1;
        GuestException failure = new GuestException(ErrorCode.GUEST_FAILED, "a lock is held", "");
        switch (which) {
            case 0, 1 -> incoming.failResume(failure.provablyNeverRan());
            case 2 -> incoming.failResume(failure);
            case 3 -> guest.failResumeOnce(failure.retryable());
            default -> {
                return;
            }
        }
        planned = true;
        happened.add(which == 3 ? "locked at home" : "locked at the target");
    }

    void beforeStep(Simulation simulation) {
        if (silent && simulation.clock.nanoTime() - lostNanos >= 0) {
            silent = false;
            simulation.cut(ErrorCode.LINK_LOST);
        }
        boolean stuck = mutant == Mutant.NO_GENERATION && simulation.connector.holdsStraggler()
                && random.nextInt(5) == 0;
        boolean cut = cutsToCome > 0 && simulation.isLinkUp() && is(cutAt, simulation)
                && untilCut-- <= 0;
        if (cut || stuck && simulation.isLinkUp()) {
            cutsToCome--;
            untilCut = untilCut();
            happened.add("cut in " + cutAt);
            simulation.cut(random.nextBoolean() ? ErrorCode.LINK_LOST : ErrorCode.CORRUPT_FRAME);
        }
        if (cancelInReady && is(Moment.READY, simulation)) {
            cancelInReady = false;
            happened.add("cancel in READY");
            simulation.cancel(false);
        }
        boolean lost = simulation.source().state() == SourceState.PRECOPY
                && !simulation.isLinkUp();
        if (untilCancel >= 0 && (lost || !cancelWhileLost) && untilCancel-- == 0) {
            SourceState state = simulation.source().state();
            happened.add("cancel in " + state);
            if (cancelOverSilence && simulation.wishes.source.reconnectNanos() > 0
                    && (state == SourceState.PRECOPY || state == SourceState.SWITCHOVER)) {
                happened.add(CANCEL_OVER_SILENCE);
                silent = true;
                lostNanos = simulation.clock.nanoTime() + SILENCE_NANOS;
                simulation.silence();
                simulation.cancel(true);
                return;
            }
            if (lost) {
                happened.add(CANCEL_WHILE_LOST);
            }
            simulation.cancel(cancelAtSource);
        }
    }

    /** Whether the link is silent, and nobody knows that it is lost. */
    boolean isSilent() {
        return silent;
    }

    /** A payload was damaged on its way; the guest has to arrive all the same. */
    void damaged() {
        happened.add(DAMAGED);
    }

    /** The source was in doubt, and an operator settled it. */
    void settled() {
        happened.add("settled");
    }

    /** Somebody tried to recover, and a lock kept him out. */
    void keptOut(String what) {
        if (!happened.contains(what)) {
            happened.add(what);
        }
    }

    private static boolean is(Moment moment, Simulation simulation) {
        return moment == Moment.READY ? simulation.target().state() == TargetState.READY
                : simulation.source().state().name().equals(moment.name());
    }

    void died(boolean atSource, String where) {
        happened.add((atSource ? "source " : "target ") + where);
    }

    /** Whether anything could go wrong; without that, the guest has to arrive. */
    boolean none() {
        return !planned;
    }

    /** What happened, in order, in words that do not depend on the seed. */
    List<String> happened() {
        return List.copyOf(happened);
    }

    @Override
    public String toString() {
        return happened.toString();
    }
}
