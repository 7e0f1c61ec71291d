package io.pageferry.core.outgoing.session;

import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.precopy.DowntimePrediction;
import io.pageferry.core.precopy.DowntimePrediction.Fixed;

/** What the target reported so far, and what was measured on the way. */
public final class Progress {
    private final MigrationFigures figures = new MigrationFigures();
    private long announced = -1;
    private long applied = -1;
    private long walked = -1;
    private long roundTripNanos;
    private long scanNanos;
    private long predictedNanos;
    private long predictedMedianNanos;
    private int work;

    /** {@return what was measured} */
    public MigrationFigures figures() {
        return figures;
    }

    /**
     * Notes that the barrier of a round was sent.
     *
     * @param round 0 based
     */
    public void announce(long round) {
        announced = round;
    }

    /**
     * Returns whether the barrier of a round was sent, so that the target may name it.
     *
     * @param round 0 based
     * @return true when it was
     */
    public boolean announced(long round) {
        return round >= 0 && round <= announced;
    }

    /**
     * Notes that every batch of a round is in the image.
     *
     * @param round 0 based
     */
    public void applied(long round) {
        applied = Math.max(applied, round);
    }

    /** {@return the highest round whose every batch is in the image, −1 before the first} */
    public long applied() {
        return applied;
    }

    /** {@return whether a barrier was sent that the target has not answered} */
    public boolean isBarrierPending() {
        return applied < announced;
    }

    /**
     * Notes that a round was read back.
     *
     * @param round 0 based
     */
    public void walked(long round) {
        walked = Math.max(walked, round);
    }

    /** {@return the highest round that was read back, −1 before the first} */
    public long walked() {
        return walked;
    }

    /**
     * Notes a round trip.
     *
     * @param nanos its length
     */
    public void roundTrip(long nanos) {
        roundTripNanos = roundTripNanos == 0 ? nanos : Math.min(roundTripNanos, nanos);
    }

    /**
     * Notes a scan of the dirty log.
     *
     * @param nanos its length
     */
    public void scanTook(long nanos) {
        // The least is what it costs; what was more was another's turn on the processor.
        scanNanos = scanNanos == 0 ? nanos : Math.min(scanNanos, nanos);
    }

    /**
     * Returns the fixed cost of a switch-over: what its kind costs, two scans, and three round
     * trips (last pages, READY, RUNNING), the latter two measured in this migration.
     *
     * @param ofKind what its kind costs
     * @return all of it
     */
    public Fixed fixedCost(Fixed ofKind) {
        return ofKind.plus(2 * scanNanos).plus(3 * roundTripNanos);
    }

    /**
     * Notes a prediction.
     *
     * @param prediction of the downtime
     */
    public void predicted(DowntimePrediction prediction) {
        predictedNanos = prediction.p95Nanos();
        predictedMedianNanos = prediction.p50Nanos();
    }

    /** {@return the downtime as it was predicted last, 95th percentile; 0 before the first} */
    public long predictedNanos() {
        return predictedNanos;
    }

    /** {@return the same, 50th percentile} */
    public long predictedMedianNanos() {
        return predictedMedianNanos;
    }

    /**
     * Counts work that was done.
     *
     * @param amount how much
     */
    public void worked(int amount) {
        work += amount;
    }

    /** {@return the work done since it was asked for last} */
    public int takeWork() {
        int done = work;
        work = 0;
        return done;
    }
}
