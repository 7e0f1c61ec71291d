package io.pageferry.core.round;

/** Slows the guest's writes down. Called by the migration's thread. */
public interface WriteThrottle extends AutoCloseable {
    /** Strongest: a guest that never runs is paused, not slowed down. */
    int MAX_PERCENT = 99;

    /**
     * The classic bound of a writer, which is held once it used its quota up.
     *
     * @param writes      pages written in a period, ≥ 1
     * @param periodNanos length of the scheduling period, &gt; 0
     */
    record Quota(long writes, long periodNanos) {
        /**
         * 40 writes in 10 ms: the 40 write faults after which Clark et al., "Live Migration of
         * Virtual Machines" (NSDI 2005), stun a rogue process; 10 ms is a tick of the schedulers
         * of that time (HZ = 100).
         */
        public static final Quota CLASSIC = new Quota(40, 10_000_000L);
    }

    /** {@return its name, as reports show it} */
    String name();

    /** {@return whether {@link #quota} bounds single writes; where not, none may be set} */
    default boolean hasQuota() {
        return true;
    }

    /**
     * Sets the strength.
     *
     * @param percent share of the guest's CPU time to take, 0 (none) … {@link #MAX_PERCENT}
     */
    void set(int percent);

    /**
     * Bounds writes by a quota, in addition to the strength.
     *
     * @param quota the bound, or null for none
     */
    void quota(Quota quota);

    /**
     * Returns what it cost.
     *
     * @return nanoseconds of guest time taken so far, measured where the guest is held
     */
    long stolenNanos();

    /** Undoes it. Idempotent; it may be set again. */
    @Override
    void close();
}
