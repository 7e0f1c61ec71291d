package io.pageferry.agent.host.disk;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** The few threads that wait for disks, so that no other does. */
final class DiskPool implements Executor, AutoCloseable {
    /** As many calls are under way at once: enough for a disk to be kept busy. */
    static final int THREADS = 4;

    private static final long LAST_CALLS_SECONDS = 5;

    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS,
            task -> Thread.ofPlatform().daemon().name("disk").unstarted(task));

    @Override
    public void execute(Runnable task) {
        threads.execute(task);
    }

    /**
     * Waits for the calls that are under way; begins none.
     *
     * @return whether all ended: a device that hangs keeps its call, and its memory
     */
    boolean end() {
        threads.shutdownNow();
        try {
            return threads.awaitTermination(LAST_CALLS_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        end();
    }
}
