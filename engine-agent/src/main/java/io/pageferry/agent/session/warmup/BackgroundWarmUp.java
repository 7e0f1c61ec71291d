package io.pageferry.agent.session.warmup;

import io.pageferry.agent.host.process.Threads;
import java.time.Duration;

/**
 * Warms this process up on a thread of its own, beside what a session opens and sends. Nothing is
 * paused before it is over.
 */
public final class BackgroundWarmUp implements AutoCloseable {
    private static final Duration STOP_LIMIT = Duration.ofSeconds(2);

    private final Thread thread;

    private BackgroundWarmUp(Thread thread) {
        this.thread = thread;
    }

    /**
     * Starts a warm-up.
     *
     * @param warmUp ends early when its thread is interrupted
     * @return under way
     */
    public static BackgroundWarmUp start(Runnable warmUp) {
        return new BackgroundWarmUp(
                Thread.ofPlatform().daemon().name("pageferry-warm-up").start(warmUp));
    }

    /** {@return whether it is over; from any thread} */
    public boolean isOver() {
        return !thread.isAlive();
    }

    /** Waits until it is over; an interrupt ends the wait. */
    public void await() {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Has it end, so that it leaves no files, and waits for that. Idempotent. */
    @Override
    public void close() {
        thread.interrupt();
        Threads.join(thread, STOP_LIMIT);
    }
}
