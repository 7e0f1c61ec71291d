package io.pageferry.agent.guest.kvm;

import io.pageferry.core.round.WriteThrottle;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Slows a vCPU down by keeping it out of the guest for a share of its time. A guest may stay inside
 * the kernel for ever, so a thread interrupts it when it has run for a slice; that thread exists
 * only while there is something to take. The vCPU's thread calls {@link #enter} and {@link #hold},
 * any thread the rest.
 */
final class VcpuThrottle implements WriteThrottle {
    private static final long SLICE_NANOS = 10_000_000L;

    /** The longest hold: a guest must not take it for the end of its world. */
    private static final long MAX_HOLD_NANOS = 100_000_000L;

    /** A held vCPU looks again as often as that, so a throttle is undone within it. */
    private static final long LOOK_NANOS = 500_000L;

    private final Runnable interrupt;
    private final LongSupplier nanoTime;
    private volatile int percent;
    private volatile long entered;
    private volatile boolean held;

    // Guarded by this.
    private long heldNanos;
    private long heldSince;
    private Thread slicer;

    /**
     * Makes a throttle that takes nothing.
     *
     * @param interrupt has the vCPU's thread call {@link #hold}
     * @param nanoTime  monotonic clock
     */
    VcpuThrottle(Runnable interrupt, LongSupplier nanoTime) {
        this.interrupt = interrupt;
        this.nanoTime = nanoTime;
    }

    @Override
    public String name() {
        return "vcpu";
    }

    @Override
    public boolean hasQuota() {
        return false;
    }

    @Override
    public void quota(Quota quota) {
        if (quota != null) {
            throw new IllegalArgumentException("single writes of a vCPU are not seen");
        }
    }

    @Override
    public synchronized void set(int newPercent) {
        if (newPercent < 0 || newPercent > MAX_PERCENT) {
            throw new IllegalArgumentException("a throttle of " + newPercent + " %");
        }
        if (percent == 0) {
            enter(); // what it ran unthrottled costs nothing
        }
        percent = newPercent;
        if (newPercent > 0 && slicer == null) {
            slicer = Thread.ofPlatform().daemon().name("vcpu-throttle").start(this::slice);
        }
    }

    @Override
    public synchronized long stolenNanos() {
        return heldNanos + (held ? nanoTime.getAsLong() - heldSince : 0);
    }

    @Override
    public void close() {
        percent = 0;
    }

    /** The vCPU enters the guest after it stood. */
    void enter() {
        entered = nanoTime.getAsLong();
    }

    /** Keeps the vCPU out for what its time in the guest costs it, unless it is wanted outside. */
    void hold(BooleanSupplier hurried) {
        long now = nanoTime.getAsLong();
        int share = percent;
        long owed = Math.min(MAX_HOLD_NANOS, (now - entered) * share / (100 - share));
        if (share > 0 && owed >= LOOK_NANOS) {
            beginHold(now);
            long at = now;
            while (at - now < owed && percent > 0 && !hurried.getAsBoolean()) {
                LockSupport.parkNanos(Math.min(LOOK_NANOS, owed - (at - now)));
                at = nanoTime.getAsLong();
            }
            endHold(at);
        } else if (share > 0) {
            return; // the slice is not over: something else brought it out
        }
        entered = nanoTime.getAsLong();
    }

    private synchronized void beginHold(long now) {
        held = true;
        heldSince = now;
    }

    private synchronized void endHold(long now) {
        held = false;
        heldNanos += now - heldSince;
    }

    /** A slice is so long that what it costs is neither too short nor too long a hold. */
    private void slice() {
        while (isNeeded()) {
            int share = Math.max(1, percent);
            long slice = Math.clamp(SLICE_NANOS, LOOK_NANOS * (100 - share) / share + 1,
                    MAX_HOLD_NANOS * (100 - share) / share);
            long left = entered + slice - nanoTime.getAsLong();
            if (left <= 0 && !held) {
                interrupt.run();
            }
            LockSupport.parkNanos(Math.clamp(left, LOOK_NANOS, SLICE_NANOS));
        }
    }

    private synchronized boolean isNeeded() {
        if (percent == 0) {
            slicer = null;
        }
        return slicer != null;
    }
}
