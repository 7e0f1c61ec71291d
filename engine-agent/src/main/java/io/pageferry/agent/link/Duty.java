package io.pageferry.agent.link;

import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

/** Runs a duty cycle on the calling thread until it has nothing more to do. */
public final class Duty {
    /** Spins and yields are few: source and target may share two cores with their guest. */
    private static final int SPINS = 10;
    private static final int YIELDS = 20;
    private static final long MIN_PARK_NANOS = 1_000;

    /** Longest pause: adds at most this to a round trip, three of which are in the downtime. */
    private static final long MAX_PARK_NANOS = 200_000;

    private Duty() {
    }

    /** {@return how a thread waits that has nothing to do; its own} */
    public static IdleStrategy idle() {
        return new BackoffIdleStrategy(SPINS, YIELDS, MIN_PARK_NANOS, MAX_PARK_NANOS);
    }

}
