package io.pageferry.agent.guest.workload;

import io.pageferry.core.round.WriteThrottle;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Slows the one writer of an embedded guest down: by a share of its time, by a quota of pages in a
 * period, or by both. What it takes is measured where the writer stands. The writer's thread calls
 * {@link #pass}, {@link #allowance} and {@link #wrote}; any thread the rest.
 */
final class WriteGate implements WriteThrottle {
    /** A held writer looks again as often as that, so a throttle is undone within it. */
    private static final long LOOK_NANOS = 500_000L;

    /** A shorter hold would be mostly the cost of standing still. */
    private static final long MIN_HOLD_NANOS = 1_000_000L;

    /** The longest hold; owed time beyond it (a stopped process) is forgotten. */
    private static final long MAX_HOLD_NANOS = 200_000_000L;

    private final LongSupplier nanoTime;
    private volatile int percent;
    private volatile Quota quota;

    // Guarded by this.
    private long heldNanos;
    private long heldSince;
    private boolean isHeld;

    // The writer's.
    private double debtNanos;
    private long lastPass;
    private boolean passed;
    private long period = Long.MIN_VALUE;
    private long usedInPeriod;

    /**
     * Makes an open gate.
     *
     * @param nanoTime monotonic clock
     */
    WriteGate(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    @Override
    public String name() {
        return "gate";
    }

    @Override
    public void set(int newPercent) {
        if (newPercent < 0 || newPercent > MAX_PERCENT) {
            throw new IllegalArgumentException("a throttle of " + newPercent + " %");
        }
        percent = newPercent;
    }

    @Override
    public void quota(Quota newQuota) {
        quota = newQuota;
    }

    @Override
    public synchronized long stolenNanos() {
        return heldNanos + (isHeld ? nanoTime.getAsLong() - heldSince : 0);
    }

    @Override
    public void close() {
        quota = null;
        percent = 0;
    }

    /**
     * Holds the writer for what its time since the last pass costs it, and until the next period
     * where it used its quota up.
     *
     * @param hasWork whether it has something to write
     * @param ending  looked at while it is held
     * @return nanoseconds for which it was held
     */
    long pass(boolean hasWork, BooleanSupplier ending) {
        long now = nanoTime.getAsLong();
        owe(now);
        long held = 0;
        if (debtNanos >= MIN_HOLD_NANOS || hasWork && isUsedUp(now)) {
            begin(now);
            long at = now;
            while (!ending.getAsBoolean() && isClosed(at - now, hasWork, at)) {
                LockSupport.parkNanos(LOOK_NANOS);
                at = nanoTime.getAsLong();
            }
            held = end(at);
            debtNanos -= held;
        }
        lastPass = now + held;
        passed = true;
        return held;
    }

    /** How many pages may be written now. */
    long allowance() {
        Quota bound = quota;
        if (bound == null) {
            return Long.MAX_VALUE;
        }
        enter(Math.floorDiv(nanoTime.getAsLong(), bound.periodNanos()));
        return Math.max(0, bound.writes() - usedInPeriod);
    }

    /** So many pages were written. */
    void wrote(long pages) {
        usedInPeriod += pages;
    }

    private void owe(long now) {
        int share = percent;
        if (share == 0 || !passed) {
            debtNanos = 0;
        } else {
            debtNanos = Math.min(MAX_HOLD_NANOS,
                    debtNanos + (double) (now - lastPass) * share / (100 - share));
        }
    }

    private boolean isClosed(long held, boolean hasWork, long now) {
        return percent > 0 && held < debtNanos || hasWork && isUsedUp(now);
    }

    private boolean isUsedUp(long now) {
        Quota bound = quota;
        return bound != null && usedInPeriod >= bound.writes()
                && Math.floorDiv(now, bound.periodNanos()) == period;
    }

    private void enter(long newPeriod) {
        if (newPeriod != period) {
            period = newPeriod;
            usedInPeriod = 0;
        }
    }

    private synchronized void begin(long now) {
        isHeld = true;
        heldSince = now;
    }

    private synchronized long end(long now) {
        isHeld = false;
        heldNanos += now - heldSince;
        return now - heldSince;
    }
}
