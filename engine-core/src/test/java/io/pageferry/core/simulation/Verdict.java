package io.pageferry.core.simulation;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.round.MigrationLimits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * How a simulation ended, and whether it may have ended so.
 *
 * @param simulation it is over
 * @param source     how the source says that it ended, null where its agent died
 * @param target     how the target says that it ended, null where its agent died
 */
record Verdict(Simulation simulation, Outcome source, Outcome target) {
    /** What no fault of the simulation brings about: only a bug, or a broken rule. */
    private static final Set<ErrorCode> NEVER = Set.of(ErrorCode.DIGEST_MISMATCH,
            ErrorCode.PROTOCOL_VIOLATION, ErrorCode.INTERNAL);

    /** What {@link #ends} has over many simulations. */
    static final List<String> ENDS = List.of("ended by DEADLINE", "ended by NOT_CONVERGING",
            "ended by CANCELLED", "slowed down as the policy saw fit", "verified in full");

    /** Where the guest is. */
    enum Place { SOURCE, TARGET, DOUBT }

    Place place() {
        if (simulation.incoming.isRunning()) {
            return Place.TARGET;
        }
        return simulation.guest.isRunning() ? Place.SOURCE : Place.DOUBT;
    }

    /** What it came to, in words that do not depend on the seed. */
    List<String> ends() {
        List<String> ends = new ArrayList<>();
        MigrationFigures figures = simulation.source().figures();
        SourceOptions asked = simulation.wishes.source;
        if (source != null && source.code() != null) {
            ends.add("ended by " + source.code());
        }
        if (asked.limits().throttling().how() == MigrationLimits.Throttle.AUTO
                && figures.maxThrottlePercent() > 0) {
            ends.add("slowed down as the policy saw fit");
        }
        if (asked.extras().full() && place() == Place.TARGET) {
            ends.add("verified in full");
        }
        return ends;
    }

    Verdict checked() {
        check(simulation.incoming.wrongPages() == 0,
                simulation.incoming.wrongPages() + " pages were wrong when the guest was loaded");
        switch (place()) {
            case TARGET -> checkArrived();
            case SOURCE -> checkStayed();
            case DOUBT -> checkDoubt();
        }
        checkStolen();
        checkClean();
        checkOutcome(source, "source");
        checkOutcome(target, "target");
        if (simulation.faults.none() && !simulation.wishes.isPressed()) {
            boolean aborted = source.code() == ErrorCode.NOT_CONVERGING;
            check(place() == (aborted ? Place.SOURCE : Place.TARGET),
                    "nothing went wrong, and yet: " + source);
        }
        return this;
    }

    private void checkArrived() {
        check(!simulation.guest.isRunning(), "two guests run");
        check(simulation.targetJournal.states().contains(JournalState.ACTIVE),
                "it runs at the target without a record of it");
        check(simulation.sourceJournal.states().contains(JournalState.GRANTED),
                "it runs at the target and was never granted");
        RegionTable regions = simulation.guest.memory().regions();
        for (long page = 0; page < regions.pageCount(); page++) {
            check(Arrays.equals(simulation.guest.memory().read(page),
                    simulation.incoming.image().read(page)), "page " + page + " differs");
        }
        if (source != null) {
            check(source.result() == Result.COMPLETED || source.result() == Result.IN_DOUBT,
                    "it runs at the target, and the source says " + source);
        }
        check(target == null || target.result() == Result.COMPLETED,
                "it runs at the target, which says " + target);
    }

    private void checkStayed() {
        check(!simulation.mayRunThere(), "it runs at the source while the target may run it");
        check(!simulation.incoming.isLoaded() || simulation.log.count("target.discard") > 0,
                "it runs at the source, and a loaded guest is left at the target");
        check(source == null || source.result() != Result.COMPLETED
                && source.result() != Result.IN_DOUBT, "it runs at the source, which says "
                + source);
        check(target == null || target.result() != Result.COMPLETED,
                "it runs at the source, and the target says " + target);
    }

    /** Nobody runs it: only where the target's journal says that it may have run and is gone. */
    private void checkDoubt() {
        check(Simulation.state(simulation.sourceJournal) == JournalState.GRANTED,
                "nobody runs it, and the source's journal says "
                + Simulation.state(simulation.sourceJournal));
        check(Simulation.state(simulation.targetJournal) == JournalState.ACTIVE,
                "nobody runs it, and the target's journal says "
                + Simulation.state(simulation.targetJournal));
    }

    /** What the throttle took, up to the length of a step more than was allowed. */
    private void checkStolen() {
        MigrationFigures figures = simulation.source().figures();
        if (figures.stolenNanos() == 0) {
            return;
        }
        double lasted = 100.0 * figures.stolenNanos() / figures.slowdownPercent();
        double allowed = lasted * simulation.wishes.maxStolenPercent() / 100;
        check(figures.stolenNanos() <= allowed + simulation.longestStep(), "the throttle took "
                + figures.stolenNanos() + " ns of the guest's in " + lasted);
    }

    /** Whoever cancels while the link is lost or silent is heard, if the target can be reached. */
    private void checkClean() {
        boolean heard = source != null && source.result() == Result.CANCELLED && target != null
                && (simulation.faults.happened().contains(Faults.CANCEL_WHILE_LOST)
                || simulation.faults.happened().contains(Faults.CANCEL_OVER_SILENCE));
        check(!heard || simulation.cleanAfterNanos() <= 2_000_000_000L, "the target was clean "
                + simulation.cleanAfterNanos() + " ns after the cancel");
    }

    private void checkOutcome(Outcome outcome, String side) {
        if (outcome == null || outcome.code() == null) {
            return;
        }
        // A target that is over, or was started again, knows no session to go on with.
        boolean late = outcome.reason().startsWith("the link was lost (");
        check(outcome.result() != Result.BUG && (late || !NEVER.contains(outcome.code())),
                side + " ended with " + outcome);
    }

    private static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
