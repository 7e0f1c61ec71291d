package io.pageferry.agent.host.throttle;

import java.io.IOException;
import java.util.Set;

/**
 * One means to keep threads of another process from running for a share of the time. Called by one
 * thread. Every implementation passes the same tests.
 */
interface CpuLimiter {
    /** {@return its name in reports} */
    String name();

    /**
     * Holds these threads, and no other any more.
     *
     * @param threads ids of threads; one that ended is passed over
     * @param percent share of the time for which each may not run, 0 … 99
     * @throws IOException when this means does not work here; nothing is promised of what is held
     */
    void apply(Set<Long> threads, int percent) throws IOException;

    /**
     * Returns how long a thread was held that wanted to run, or may have wanted to.
     *
     * @param thread id of a thread that is or was held
     * @return nanoseconds so far, also after it was let go; 0 where it never was
     */
    long heldNanos(long thread);

    /**
     * Lets all go and leaves nothing behind. Idempotent.
     *
     * @throws IOException when something could not be undone; the next call tries again
     */
    void release() throws IOException;
}
