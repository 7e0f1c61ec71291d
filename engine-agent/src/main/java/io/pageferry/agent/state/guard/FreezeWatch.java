package io.pageferry.agent.state.guard;

import io.pageferry.agent.host.disk.freeze.FrozenMounts;
import io.pageferry.agent.host.disk.freeze.Thawer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * The guard's hold on file systems that its agent freezes: thaws them when they were frozen for too
 * long, on a thread of its own, and at once when it is asked to. Any thread.
 */
final class FreezeWatch implements AutoCloseable {
    private final Thawer thawer;
    private final Consumer<String> words;
    private final long deadline;
    private final Thread thread;
    private volatile boolean over;
    private boolean late;

    /**
     * Opens the mounts and begins to wait.
     *
     * @param frozen which, and for how long
     * @param words  for people
     * @throws IOException when one is not there, or this process would hang by one of them
     */
    FreezeWatch(FrozenMounts frozen, Consumer<String> words) throws IOException {
        Thawer.requireFree(frozen);
        this.thawer = Thawer.open(frozen);
        this.words = words;
        this.deadline = System.nanoTime() + frozen.limit().toNanos();
        this.thread = Thread.ofPlatform().daemon().name("frozen").start(this::await);
    }

    private void await() {
        long left = deadline - System.nanoTime();
        while (!over && left > 0) {
            LockSupport.parkNanos(left);
            left = deadline - System.nanoTime();
        }
        synchronized (this) {
            late = true;
            thaw("were frozen for too long");
        }
    }

    /** Thaws what is frozen; says so where anything was. */
    synchronized void thaw(String why) {
        if (over) {
            return;
        }
        try {
            List<Path> thawed = thawer.thaw();
            if (!thawed.isEmpty()) {
                words.accept("thawed " + thawed + ", which " + why);
            }
        } catch (IOException e) {
            words.accept(e.getMessage() + "; thaw it: fsfreeze -u");
        }
    }

    /**
     * Lets go of the mounts, which stay frozen for good.
     *
     * @throws IOException when the time was over
     */
    synchronized void keep() throws IOException {
        if (late || System.nanoTime() - deadline >= 0) {
            throw new IOException("it was frozen for too long, and thawed by the guard");
        }
        close();
    }

    /** Lets go of the mounts as they are. */
    @Override
    public synchronized void close() {
        over = true;
        LockSupport.unpark(thread);
        thawer.close();
    }
}
