package io.pageferry.agent.guest.process;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Stops by SIGSTOP, and waits until every thread of all members is seen stopped. Visible to a
 * parent that waits for the process, unlike a frozen group.
 */
final class StopFreezer extends Freezer {
    private final String reason;
    private final Map<Long, Long> told = new LinkedHashMap<>();

    StopFreezer(PausedProcess process, String reason) {
        super(process);
        this.reason = reason;
    }

    @Override
    String name() {
        return "SIGSTOP";
    }

    @Override
    String how() {
        return "SIGSTOP, and every thread seen stopped"
                + (reason.isEmpty() ? "" : " (" + reason + ")");
    }

    @Override
    String byHand() {
        return process.tree() ? "kill -CONT it and its descendants"
                : "kill -CONT " + process.pid();
    }

    @Override
    void freeze(Meanwhile meanwhile) throws IOException {
        long deadline = System.nanoTime() + LIMIT_NANOS;
        while (true) {
            // Asked before the look at the members: who stops only after it may have forked.
            boolean stood = told.keySet().stream().allMatch(Processes::isStopped);
            // Parents first, so that in the end no process is left that could fork.
            Set<Long> fresh = new LinkedHashSet<>(process.members());
            fresh.removeAll(told.keySet());
            Map<Long, Long> starts = process.identified(fresh);
            // Noted before, so that every stopped process is let go again in any case.
            told.putAll(starts);
            PausedProcess.signal(starts, Signal.STOP);
            if (starts.isEmpty() && stood) {
                return;
            }
            meanwhile.turn();
            if (System.nanoTime() - deadline >= 0) {
                throw new IOException("process " + told.keySet().stream()
                        .filter(one -> !Processes.isStopped(one)).findFirst()
                        .orElse(process.pid()) + " does not stop");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    @Override
    boolean holds() throws IOException {
        return everybody().keySet().stream().allMatch(Processes::isStopped);
    }

    @Override
    void thaw() throws IOException {
        PausedProcess.signal(everybody(), Signal.CONT);
        told.clear();
    }

    /** Also those whose parents ended while they stood still: they descend from it no more. */
    @Override
    Map<Long, Long> everybody() throws IOException {
        Map<Long, Long> all = process.identified(process.members());
        all.putAll(told);
        return all;
    }

    @Override
    void leave() {
        // A signal leaves nothing behind.
    }
}
