package io.pageferry.agent.foreign;

import io.pageferry.agent.linux.Processes;
import io.pageferry.agent.linux.Processes.Signal;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Stops by SIGSTOP, and believes it when every thread of everybody is seen stopped. Visible to
 * whoever waits for the process, unlike a frozen group.
 */
final class StopFreezer extends Freezer {
    private final String reason;

    StopFreezer(ForeignProcess process, String reason) {
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
        Set<Long> told = new LinkedHashSet<>();
        while (true) {
            // Parents first, so that in the end nobody is left who could fork.
            Set<Long> fresh = new LinkedHashSet<>(process.members());
            fresh.removeAll(told);
            process.signal(fresh, Signal.STOP);
            told.addAll(fresh);
            if (fresh.isEmpty() && told.stream().allMatch(Processes::isStopped)) {
                return;
            }
            meanwhile.turn();
            if (System.nanoTime() - deadline >= 0) {
                throw new IOException("process " + told.stream()
                        .filter(one -> !Processes.isStopped(one)).findFirst()
                        .orElse(process.pid()) + " does not stop");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    @Override
    boolean holds() throws IOException {
        return process.members().stream().allMatch(Processes::isStopped);
    }

    @Override
    void thaw() throws IOException {
        process.signal(process.members(), Signal.CONT);
    }

    @Override
    void leave() {
        // A signal leaves nothing behind.
    }
}
