package io.pageferry.agent.host.throttle;

import io.pageferry.agent.host.cgroup.CgroupFiles;
import io.pageferry.agent.host.cgroup.Hierarchy;
import io.pageferry.core.round.WriteThrottle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;

/**
 * Slows a guest down whose vCPUs are threads of another process, by the first {@link CpuLimiter}
 * that works. What it costs is measured from the threads' processor time. Confined to one thread.
 */
public final class ThreadThrottle implements WriteThrottle {
    /** A look costs some ten microseconds for each thread, and is asked for all the time. */
    private static final long LOOK_NANOS = 10_000_000;
    private static final long LOOK_NANOS_A_THREAD = 500_000;

    private final ThreadList list;
    private final List<CpuLimiter> limiters;
    private final LongSupplier nanoTime;
    private final LostTime lost;
    private final StringBuilder reason;
    private CpuLimiter limiter;
    private Set<Long> threads = Set.of();
    private int percent;
    private long lookedNanos;
    private String trouble;

    /** Which threads are a guest's vCPUs now: they come and go. */
    @FunctionalInterface
    public interface ThreadList {
        /**
         * Lists the threads to hold.
         *
         * @return ids of threads
         * @throws IOException when the guest does not answer
         */
        Set<Long> threads() throws IOException;
    }

    ThreadThrottle(ThrottledProcess throttled, ThreadList list, CpuLimiters choice,
            LongSupplier nanoTime) {
        this.list = list;
        this.limiters = new ArrayList<>(choice.usable());
        this.limiter = limiters.removeFirst();
        this.reason = new StringBuilder(choice.reason());
        this.nanoTime = nanoTime;
        this.lookedNanos = nanoTime.getAsLong();
        this.lost = new LostTime(throttled, thread -> limiter.heldNanos(thread), lookedNanos);
        reread();
        lost.look(threads, false, lookedNanos);
    }

    /**
     * Makes a throttle that holds nothing yet, and begins to watch what the threads use.
     *
     * @param pid        the process
     * @param startTicks when it started
     * @param list       lists its vCPUs
     * @return the throttle
     * @throws IOException when the guest does not list its vCPUs
     */
    public static ThreadThrottle of(long pid, long startTicks, ThreadList list)
            throws IOException {
        ThrottledProcess throttled = new ThrottledProcess(Path.of("/proc"), pid, startTicks);
        return new ThreadThrottle(throttled, list, CpuLimiters.choose(throttled, list.threads()),
                System::nanoTime);
    }

    @Override
    public String name() {
        return limiter.name();
    }

    /** {@return why this means was chosen, one line} */
    public String reason() {
        return reason.toString();
    }

    /** {@return what could not be done or undone, if anything} */
    public Optional<String> trouble() {
        return Optional.ofNullable(trouble);
    }

    @Override
    public boolean hasQuota() {
        return false;
    }

    @Override
    public void set(int newPercent) {
        if (newPercent < 0 || newPercent > MAX_PERCENT) {
            throw new IllegalArgumentException("a throttle of " + newPercent + " %");
        }
        if (newPercent > 0) {
            reread();
        }
        look(nanoTime.getAsLong());
        if (newPercent > 0 || percent > 0) {
            percent = newPercent;
            lost.change();
            apply();
        }
    }

    private void reread() {
        try {
            threads = Set.copyOf(new TreeSet<>(list.threads()));
        } catch (IOException e) {
            // A guest that does not answer has the same vCPUs; its end is reported elsewhere.
            return;
        }
    }

    private void apply() {
        while (true) {
            try {
                limiter.apply(threads, percent);
                return;
            } catch (IOException e) {
                if (limiters.isEmpty()) {
                    trouble = limiter.name() + ": " + e.getMessage();
                    return;
                }
                next(e);
            }
        }
    }

    private void next(IOException refused) {
        undo();
        reason.append("; ").append(limiter.name()).append(" failed: ")
                .append(refused.getMessage());
        limiter = limiters.removeFirst();
    }

    @Override
    public void quota(Quota newQuota) {
        if (newQuota != null) {
            throw new UnsupportedOperationException("a guest's single writes are not seen");
        }
    }

    @Override
    public long stolenNanos() {
        long now = nanoTime.getAsLong();
        if (now - lookedNanos >= LOOK_NANOS + threads.size() * LOOK_NANOS_A_THREAD) {
            look(now);
        }
        return lost.nanos();
    }

    private void look(long now) {
        lost.look(threads, percent > 0, now);
        lookedNanos = now;
    }

    /** Lets every thread go, and leaves nothing behind; reports what could not be undone. */
    @Override
    public void close() {
        // While what it is measured by is still there.
        look(nanoTime.getAsLong());
        lost.change();
        percent = 0;
        undo();
    }

    private void undo() {
        try {
            limiter.release();
            trouble = null;
        } catch (IOException e) {
            trouble = limiter.name() + " could not be undone: " + e.getMessage();
        }
    }

    /**
     * Undoes what any agent did to a process, which may have ended since.
     *
     * @param pid        the process
     * @param startTicks when it started
     * @throws IOException when something is left
     */
    public static void undo(long pid, long startTicks) throws IOException {
        ThrottledProcess throttled = new ThrottledProcess(Path.of("/proc"), pid, startTicks);
        for (Hierarchy hierarchy : Hierarchy.find(throttled.proc(), Control.CONTROLLER)) {
            CgroupCpuLimiter.undo(throttled, hierarchy, CgroupFiles.KERNEL);
        }
    }
}
