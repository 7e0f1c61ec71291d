package io.pageferry.core.simulation;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.JournalState;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import java.util.Arrays;
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

    /** Where the guest is. */
    enum Place { SOURCE, TARGET, DOUBT }

    Place place() {
        if (simulation.incoming.isRunning()) {
            return Place.TARGET;
        }
        return simulation.guest.isRunning() ? Place.SOURCE : Place.DOUBT;
    }

    Verdict checked() {
        check(simulation.incoming.wrongPages() == 0,
                simulation.incoming.wrongPages() + " pages were wrong when the guest was loaded");
        switch (place()) {
            case TARGET -> checkArrived();
            case SOURCE -> checkStayed();
            case DOUBT -> checkDoubt();
        }
        checkOutcome(source, "source");
        checkOutcome(target, "target");
        if (simulation.faults.none()) {
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
