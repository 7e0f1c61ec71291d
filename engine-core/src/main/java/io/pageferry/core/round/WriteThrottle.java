package io.pageferry.core.round;

/** Slows the guest's writes down. Called by the migration's thread. */
public interface WriteThrottle extends AutoCloseable {
    /**
     * Sets the strength.
     *
     * @param percent share of the guest's CPU time to take, 0 (none) … 99
     */
    void set(int percent);

    /**
     * Tells what it cost.
     *
     * @return nanoseconds of guest time taken so far
     */
    long stolenNanos();

    /** Undoes it. Idempotent. */
    @Override
    void close();
}
