package io.pageferry.agent.host.throttle;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.HeldThread;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Holds threads by stopping and continuing them in turn, as a debugger does: each by itself, so
 * the rest of the process answers meanwhile. Nothing has to be undone for an agent that is killed:
 * the kernel lets its tracees go.
 *
 * <p>A thread of its own does it, because tracing belongs to the kernel's thread.
 */
final class DutyCycle implements CpuLimiter {
    private static final long PERIOD_NANOS = 20_000_000;

    /** Shorter runs would be mostly the cost of stopping. */
    private static final long MIN_RUN_NANOS = 1_000_000;

    // All guarded by this.
    private final Map<Long, Long> held = new HashMap<>();
    private Set<Long> threads = Set.of();
    private int percent;
    private boolean ending;
    private IOException failed;
    private Thread cycle;

    @Override
    public String name() {
        return "duty-cycle";
    }

    @Override
    public synchronized void apply(Set<Long> wanted, int newPercent) throws IOException {
        if (failed != null) {
            throw new IOException(failed.getMessage(), failed);
        }
        threads = Set.copyOf(wanted);
        percent = newPercent;
        if (cycle == null && percent > 0) {
            ending = false;
            cycle = Thread.ofPlatform().daemon().name("throttle").start(this::run);
        }
        notifyAll();
    }

    @Override
    public synchronized long heldNanos(long thread) {
        return held.getOrDefault(thread, 0L);
    }

    @Override
    public void release() throws IOException {
        Thread last;
        synchronized (this) {
            percent = 0;
            ending = true;
            notifyAll();
            last = cycle;
            cycle = null;
        }
        boolean interrupted = false;
        while (last != null && last.isAlive()) {
            try {
                last.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            for (Set<Long> turn = next(); turn != null; turn = next()) {
                long stoppedNanos = System.nanoTime();
                List<HeldThread> stopped = stop(turn);
                try {
                    stay(true);
                } finally {
                    letGo(stopped, System.nanoTime() - stoppedNanos);
                }
                stay(false);
            }
        } catch (IOException e) {
            synchronized (this) {
                failed = e;
            }
        }
    }

    /** Waits until threads are to be held; null at the end. */
    private synchronized Set<Long> next() {
        while (!ending && percent == 0) {
            pause(0);
        }
        return ending ? null : threads;
    }

    private static List<HeldThread> stop(Set<Long> turn) throws IOException {
        List<HeldThread> stopped = new ArrayList<>();
        boolean all = false;
        try {
            for (Long thread : turn) {
                Processes.holdThread(thread).ifPresent(stopped::add);
            }
            for (HeldThread one : stopped) {
                one.awaitStop();
            }
            all = true;
            return stopped;
        } finally {
            if (!all) {
                stopped.forEach(HeldThread::close);
            }
        }
    }

    private void letGo(List<HeldThread> stopped, long nanos) {
        stopped.forEach(HeldThread::close);
        synchronized (this) {
            stopped.forEach(one -> held.merge(one.thread(), nanos, Long::sum));
        }
    }

    /** One part of a period, which ends at once where no thread is to be held any more. */
    private synchronized void stay(boolean holding) {
        long period = Math.max(PERIOD_NANOS, MIN_RUN_NANOS * 100 / (100 - percent));
        long end = System.nanoTime()
                + (holding ? period * percent : period * (100 - percent)) / 100;
        for (long left = end - System.nanoTime(); left > 0 && percent > 0 && !ending;
                left = end - System.nanoTime()) {
            pause(left);
        }
    }

    /** Until something changes, or for so long; 0: without end. */
    private void pause(long nanos) {
        try {
            if (nanos == 0) {
                wait();
            } else {
                wait(nanos / 1_000_000, (int) (nanos % 1_000_000));
            }
        } catch (InterruptedException e) {
            ending = true;
        }
    }
}
