package io.pageferry.agent.host.process;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Does on a thread of its own what a paused guest would otherwise wait for, beside the sending of
 * its last pages.
 *
 * @param <T> what it comes to
 */
public final class PausedTask<T> {
    private final FutureTask<T> task;

    /**
     * What is done; it touches nothing that belongs to the migration's thread.
     *
     * @param <T> what it comes to
     */
    @FunctionalInterface
    public interface Work<T> {
        /**
         * Does the work.
         *
         * @return what it came to
         * @throws IOException when it cannot be done
         */
        T run() throws IOException;
    }

    private PausedTask(Work<T> work) {
        this.task = new FutureTask<>(work::run);
    }

    /**
     * Begins with it.
     *
     * @param <T>  what it comes to
     * @param name of the thread
     * @param work of a guest that stands still by now
     * @return the task, under way
     */
    public static <T> PausedTask<T> start(String name, Work<T> work) {
        PausedTask<T> begun = new PausedTask<>(work);
        Thread.ofPlatform().daemon().name(name).start(begun.task);
        return begun;
    }

    /**
     * Waits for the end of it.
     *
     * @param limit longest wait
     * @return what it came to
     * @throws IOException what the work threw; or it did not end in time, or the wait was
     *                     interrupted
     */
    public T await(Duration limit) throws IOException {
        try {
            return task.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException known) {
                throw known;
            }
            throw new IOException(e.getCause().getMessage(), e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("it was not done within " + limit.toSeconds() + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("it was interrupted", e);
        }
    }
}
