package io.pageferry.core.outgoing;

import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.precopy.DowntimePrediction.Fixed;

/** What the target said so far, and what was measured on the way. */
final class Progress {
    private final MigrationFigures figures = new MigrationFigures();
    private long announced = -1;
    private long applied = -1;
    private long walked = -1;
    private long roundTripNanos;
    private long scanNanos;
    private int work;

    MigrationFigures figures() {
        return figures;
    }

    /** Notes that the barrier of a round was sent. */
    void announce(long round) {
        announced = round;
    }

    /** Whether the barrier of a round was sent, so that the target may speak of it. */
    boolean announced(long round) {
        return round >= 0 && round <= announced;
    }

    void applied(long round) {
        applied = Math.max(applied, round);
    }

    /** Highest round whose every batch is in the image, −1 before the first. */
    long applied() {
        return applied;
    }

    void walked(long round) {
        walked = Math.max(walked, round);
    }

    /** Highest round that was read back, −1 before the first. */
    long walked() {
        return walked;
    }

    void roundTrip(long nanos) {
        roundTripNanos = roundTripNanos == 0 ? nanos : Math.min(roundTripNanos, nanos);
    }

    void scanTook(long nanos) {
        // The least is what it costs; what was more was another's turn on the processor.
        scanNanos = scanNanos == 0 ? nanos : Math.min(scanNanos, nanos);
    }

    /**
     * The fixed cost of a switch-over: what its kind costs, two scans, and three round trips
     * (last pages, READY, RUNNING), the latter two measured in this migration.
     */
    Fixed fixedCost(Fixed ofKind) {
        return ofKind.plus(2 * scanNanos).plus(3 * roundTripNanos);
    }

    void worked(int amount) {
        work += amount;
    }

    int takeWork() {
        int done = work;
        work = 0;
        return done;
    }
}
