package io.pageferry.core.testing;

import org.agrona.concurrent.NanoClock;

/** A clock that only the test moves. Confined to one thread. */
public final class ManualClock implements NanoClock {
    private long now;

    /**
     * Makes a clock.
     *
     * @param start its first reading; any value, as {@link System#nanoTime} may give any
     */
    public ManualClock(long start) {
        now = start;
    }

    /**
     * Lets time pass.
     *
     * @param nanos how much, ≥ 0
     */
    public void advance(long nanos) {
        now += nanos;
    }

    @Override
    public long nanoTime() {
        return now;
    }
}
