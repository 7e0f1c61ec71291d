package io.pageferry.bench.qemu;

/**
 * One move by one peer.
 *
 * @param peer           moved the guest
 * @param totalMillis    as the peer reports it
 * @param downtimeMillis likewise
 * @param startupMillis  from the command or the request to the first byte; 0 of QEMU's, whose
 *                       monitor is asked
 * @param wireBytes      as the peer reports it
 * @param seen           from outside; null where the peer itself failed
 * @param problem        null, or why the peer did not complete, or both digests differ
 */
record Moved(Peer peer, double totalMillis, double downtimeMillis,
        double startupMillis, long wireBytes, ObservedMove.Seen seen, String problem) {
    /** A move that came to nothing. */
    static Moved failed(Peer peer, String problem) {
        return new Moved(peer, 0, 0, 0, 0, null, problem);
    }

    /** {@return whether the peer reported success} */
    boolean completed() {
        return problem == null;
    }

    /** {@return whether the guest lives on at the target} */
    boolean alive() {
        return completed() && seen.trouble() == null;
    }

    /** {@return what went wrong, in words} */
    String trouble() {
        return completed() ? seen.trouble() : problem;
    }
}
