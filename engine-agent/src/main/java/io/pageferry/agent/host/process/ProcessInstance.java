package io.pageferry.agent.host.process;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Processes;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * A process as a journal names it, by more than its number: another process may have that after its
 * end, and after a reboot the start time, too.
 *
 * @param pid        its process id
 * @param startTicks when it started after the boot; {@link #OF_ANOTHER_BOOT} is no process's
 */
public record ProcessInstance(long pid, long startTicks) {
    /** The start of a process that ended with the boot that it was in. */
    public static final long OF_ANOTHER_BOOT = Long.MIN_VALUE;

    private static final String PID = "pid";
    private static final String START = "start";
    private static final String BOOT = "boot";
    private static final long POLL_NANOS = 1_000_000;

    /**
     * Finds again what {@link #putInto} noted.
     *
     * @param recoveryAddress of a journal
     * @return the process, whether it is there or not
     */
    public static ProcessInstance of(Map<String, String> recoveryAddress) {
        return new ProcessInstance(Long.parseLong(recoveryAddress.get(PID)),
                Processes.bootId().equals(recoveryAddress.get(BOOT))
                        ? Long.parseLong(recoveryAddress.get(START)) : OF_ANOTHER_BOOT);
    }

    /**
     * Notes it for {@link #of}.
     *
     * @param recoveryAddress receives it
     */
    public void putInto(Map<String, String> recoveryAddress) {
        recoveryAddress.put(PID, Long.toString(pid));
        recoveryAddress.put(START, Long.toString(startTicks));
        recoveryAddress.put(BOOT, Processes.bootId());
    }

    /** {@return whether it can still do something, see {@link Processes#isAlive}} */
    public boolean isAlive() {
        return Processes.isAlive(pid) && Processes.startTicks(pid).orElse(-1) == startTicks;
    }

    /**
     * Waits for its end.
     *
     * @param limit of the wait
     * @return whether it has ended
     */
    public boolean awaitEnd(Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (isAlive() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(POLL_NANOS);
        }
        return !isAlive();
    }

    /**
     * Kills it, and waits for its end.
     *
     * @param limit of the wait
     * @return whether it has ended
     * @throws LinuxException where this user may not
     */
    public boolean kill(Duration limit) throws LinuxException {
        Processes.signal(pid, startTicks, Processes.Signal.KILL);
        return awaitEnd(limit);
    }

    /** {@return its name on this host, one for all kinds of guests that it may be moved as} */
    public String identity() {
        return "process:" + pid + ":" + startTicks;
    }
}
