package io.pageferry.agent.guest.process;

import io.pageferry.agent.host.cgroup.Hierarchy;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes a process stand still, with its descendants where they belong to it, and lets it go again.
 * A recovery after a dead agent makes another one from {@link #putInto} and undoes it. One thread.
 */
abstract class Freezer {
    /** Longest wait for all members to stand still. */
    static final long LIMIT_NANOS = 4_000_000_000L;

    static final long POLL_NANOS = 100_000;

    private static final String MEANS = "freezer";
    private static final String OWN = "group";
    private static final String STOP = "stop";
    private static final String TOKEN = "token";

    final PausedProcess process;

    Freezer(PausedProcess process) {
        this.process = process;
    }

    /** Asked while it is waited for the freeze. */
    @FunctionalInterface
    interface Meanwhile {
        void turn() throws IOException;
    }

    /**
     * Chooses: the freezer of cgroup v2, of v1, and a stop signal where there is neither. Only
     * looks.
     */
    static Freezer choose(PausedProcess process) throws IOException {
        List<String> against = new ArrayList<>();
        for (Hierarchy hierarchy : Hierarchy.find(Path.of("/proc"), GroupFreezer.CONTROLLER)) {
            GroupFreezer groups = GroupFreezer.of(process, hierarchy);
            Optional<String> obstacle = groups.obstacle();
            if (obstacle.isEmpty()) {
                return groups;
            }
            against.add("no " + groups.name() + ": " + obstacle.get());
        }
        return new StopFreezer(process, String.join("; ", against));
    }

    /** Makes the freezer again that {@link #putInto} described. */
    static Freezer of(PausedProcess process, Map<String, String> recoveryAddress)
            throws IOException {
        String means = recoveryAddress.getOrDefault(MEANS, STOP);
        if (means.equals(STOP)) {
            return new StopFreezer(process, "");
        }
        // A later process in the own group of a gone one is not ours.
        String own = process.isAlive() ? recoveryAddress.getOrDefault(OWN, "") : "";
        for (Hierarchy one : Hierarchy.find(Path.of("/proc"), GroupFreezer.CONTROLLER)) {
            if (means.equals("v" + one.version())) {
                return new GroupFreezer(process, one, own.isEmpty() ? null : Path.of(own),
                        recoveryAddress.getOrDefault(TOKEN, ""));
            }
        }
        throw new IOException("cgroup " + means + " is not mounted here any more");
    }

    /** Writes down how a later process undoes it. */
    final void putInto(Map<String, String> recoveryAddress) {
        if (this instanceof GroupFreezer groups) {
            recoveryAddress.put(MEANS, "v" + groups.version());
            recoveryAddress.put(OWN, groups.own().map(Path::toString).orElse(""));
            recoveryAddress.put(TOKEN, groups.token());
        } else {
            recoveryAddress.put(MEANS, STOP);
        }
    }

    /** What it is called. */
    abstract String name();

    /** How it does it here, one line. */
    abstract String how();

    /** What an operator types to let go what was left frozen. */
    abstract String byHand();

    /**
     * Makes all members stand still; returns when all of them do.
     *
     * @throws IOException when they do not within {@link #LIMIT_NANOS}, or cannot be reached; some
     *                     may stand still then
     */
    abstract void freeze(Meanwhile meanwhile) throws IOException;

    /** Whether all that it froze stands still. */
    abstract boolean holds() throws IOException;

    /** Lets all members go on. Idempotent. */
    abstract void thaw() throws IOException;

    /** Takes back what was made for it, once all members were let go. Idempotent. */
    abstract void leave() throws IOException;

    /**
     * All processes that it froze, as far as known here, and all other members, with the ticks at
     * which each started.
     */
    abstract Map<Long, Long> everybody() throws IOException;

    /** Whether all of them have ended. */
    final boolean isOver() throws IOException {
        return !PausedProcess.anyAlive(everybody());
    }

    /** Ends all members while they stand still, so that none does another step. */
    final void kill() throws IOException {
        Map<Long, Long> all = everybody();
        PausedProcess.signal(all, Signal.KILL);
        thaw();
        if (!PausedProcess.awaitEnd(all)) {
            throw new IOException("process " + process.pid() + " does not end");
        }
        leave();
    }

    /** Whether every member stands still, no matter which process stopped it. */
    static boolean standsStill(PausedProcess process) throws IOException {
        List<Hierarchy> hierarchies = Hierarchy.find(Path.of("/proc"), GroupFreezer.CONTROLLER);
        for (long member : process.members()) {
            if (!Processes.isStopped(member) && !GroupFreezer.isFrozen(member, hierarchies)) {
                return false;
            }
        }
        return true;
    }
}
