package io.pageferry.core.simulation;

/** A lock of the host's. Who holds it may take it again, as a process that lends it to itself. */
final class SimulatedLock {
    private Object holder;

    boolean tryLock(Object who) {
        if (holder == null) {
            holder = who;
        }
        return holder == who;
    }

    /** Gives it back, or frees it with a holder that died; others keep theirs. */
    void free(Object who) {
        holder = holder == who ? null : holder;
    }
}
