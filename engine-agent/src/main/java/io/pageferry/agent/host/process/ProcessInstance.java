package io.pageferry.agent.host.process;

import io.pageferry.agent.host.linux.Processes;
import java.util.Map;

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

    /** {@return its name on this host, one for all kinds of guests that it may be moved as} */
    public String identity() {
        return "process:" + pid + ":" + startTicks;
    }
}
