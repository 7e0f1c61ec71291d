package io.pageferry.agent.host.process;

import io.pageferry.agent.host.linux.Processes;
import java.util.Optional;

/**
 * What a process uses from a moment on.
 *
 * @param pid        the process
 * @param startNanos that moment, by System.nanoTime
 * @param start      what it had used by then
 */
public record UsageWatch(long pid, long startNanos, Processes.Usage start) {
    /**
     * What was used.
     *
     * @param nanos    since that moment
     * @param faults   pages that it had to be given, without reading them from anywhere
     * @param cpuNanos processor time of all its threads
     */
    public record Used(long nanos, long faults, long cpuNanos) { }

    /**
     * Begins to watch.
     *
     * @param pid a process
     * @return empty where it ended
     */
    public static Optional<UsageWatch> start(long pid) {
        return Processes.usage(pid).map(now -> new UsageWatch(pid, System.nanoTime(), now));
    }

    /** {@return what it used since then; empty where it ended} */
    public Optional<Used> used() {
        return Processes.usage(pid).map(now -> new Used(System.nanoTime() - startNanos,
                now.faults() - start.faults(), now.nanos() - start.nanos()));
    }
}
