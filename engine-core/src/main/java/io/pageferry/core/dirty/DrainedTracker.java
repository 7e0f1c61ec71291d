package io.pageferry.core.dirty;

import java.io.IOException;
import java.util.function.LongSupplier;

/**
 * Adds to a tracker of stores what devices write to memory that was handed to them before. The
 * store by which a page was pinned is seen; what the device writes into it later is not. So the
 * order is: harvest, drain, read. Whatever was pinned before the harvest is complete after the
 * drain, and is read after it; what is pinned later is reported by the next harvest.
 *
 * <p>A guest that stands still has nothing under way: who pauses it waits for that. Confined to one
 * thread, but for {@link #costs}; owns the tracker.
 */
public final class DrainedTracker implements DirtyTracker {
    private final DirtyTracker stores;
    private final Drain drain;
    private final LongSupplier clock;
    private boolean undrained;
    private volatile Costs costs = new Costs(0, 0, 0);

    /** Waits until what devices write to the guest's memory is there. */
    @FunctionalInterface
    public interface Drain extends AutoCloseable {
        /**
         * Returns when everything that was under way at the call is complete. The guest runs on.
         *
         * @throws IOException when that is not known
         */
        void run() throws IOException;

        /** Undoes what it needed. Idempotent. */
        @Override
        default void close() {
            // Mostly nothing.
        }
    }

    /**
     * What draining cost.
     *
     * @param count        drains
     * @param totalNanos   that they took together; a guest's new requests wait for that long
     * @param longestNanos of one
     */
    public record Costs(long count, long totalNanos, long longestNanos) {
        private Costs plus(long nanos) {
            return new Costs(count + 1, totalNanos + nanos, Math.max(longestNanos, nanos));
        }
    }

    /**
     * Makes an unarmed tracker.
     *
     * @param stores sees every store; owned from now on
     * @param drain  waits for devices; closed with the tracker
     * @param clock  nanoseconds, monotonic; measures what that costs
     */
    public DrainedTracker(DirtyTracker stores, Drain drain, LongSupplier clock) {
        this.stores = stores;
        this.drain = drain;
        this.clock = clock;
    }

    /** {@return what draining cost so far; from any thread} */
    public Costs costs() {
        return costs;
    }

    @Override
    public String name() {
        return stores.name();
    }

    @Override
    public void start() throws TrackerException {
        stores.start();
        boolean drained = false;
        try {
            drain();
            drained = true;
        } finally {
            if (!drained) {
                stores.close();
            }
        }
    }

    @Override
    public void harvest(DirtyBitmap into) throws TrackerException {
        stores.harvest(into);
        drain();
        markUndrained(into);
    }

    @Override
    public void harvestPaused(DirtyBitmap into) throws TrackerException {
        stores.harvestPaused(into);
        markUndrained(into);
    }

    /** A failed drain: what was read behind it may have been read too early, and has no mark. */
    private void markUndrained(DirtyBitmap into) {
        if (undrained) {
            into.markAll();
            undrained = false;
        }
    }

    private void drain() throws TrackerException {
        long began = clock.getAsLong();
        try {
            drain.run();
        } catch (IOException e) {
            undrained = true;
            throw new TrackerException("every page counts as written: what devices write cannot be"
                    + " waited for: " + e.getMessage(), e);
        } finally {
            costs = costs.plus(clock.getAsLong() - began);
        }
    }

    @Override
    public boolean mayMissHoles() {
        return stores.mayMissHoles();
    }

    @Override
    public boolean comparesContents() {
        return stores.comparesContents();
    }

    @Override
    public void close() {
        stores.close();
        drain.close();
    }
}
