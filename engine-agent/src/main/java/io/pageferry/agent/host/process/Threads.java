package io.pageferry.agent.host.process;

import java.time.Duration;

/** Waits for the ends of threads. */
public final class Threads {
    private Threads() {
    }

    /**
     * Waits for the end of a thread, also where this one is interrupted, which is then.
     *
     * @param thread to end
     */
    public static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Waits for the end of a thread for some time; an interrupt ends the wait, and is kept.
     *
     * @param thread to end
     * @param most   longest wait
     * @return whether it ended
     */
    public static boolean join(Thread thread, Duration most) {
        try {
            return thread.join(most);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
