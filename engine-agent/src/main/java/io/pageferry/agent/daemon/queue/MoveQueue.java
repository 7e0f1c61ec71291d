package io.pageferry.agent.daemon.queue;

import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.words.Labelled;
import java.util.Collection;
import java.util.Optional;

/**
 * Decides what may begin beside what moves already. A move that waits for more than a slot holds up
 * those behind it: a large one would else wait for ever.
 *
 * @param maxParallel moves at a time, ≥ 1
 * @param bandwidth   bytes a second that all share, 0 for no bound
 */
public record MoveQueue(int maxParallel, long bandwidth) {
    /** Why a move waits. */
    public enum Reason implements Labelled {
        /** As many move as may. */
        PARALLEL,
        /** The memory that it needs here is not free. */
        MEMORY,
        /** Another one is on its way into the same slot. */
        SLOT,
        /** Its part of the bandwidth would be too little for pages. */
        LINK
    }

    /**
     * Takes part in the decision.
     *
     * @param to     where the target listens
     * @param slot   there, or empty
     * @param memory bytes that it needs at this side
     */
    public record Move(String to, String slot, long memory) { }

    /**
     * Decides whether a move may begin.
     *
     * @param next       the one
     * @param running    those that move
     * @param freeMemory bytes that it may use at this side
     * @return why it has to wait, empty where it may begin
     */
    public Optional<Reason> obstacle(Move next, Collection<Move> running, long freeMemory) {
        if (running.size() >= maxParallel) {
            return Optional.of(Reason.PARALLEL);
        }
        if (running.isEmpty()) {
            // Alone it may try: what it is refused then has its reason.
            return Optional.empty();
        }
        if (bandwidth > 0 && bandwidth / (running.size() + 1) < Bandwidth.LEAST) {
            return Optional.of(Reason.LINK);
        }
        if (next.memory() > freeMemory) {
            return Optional.of(Reason.MEMORY);
        }
        boolean taken = !next.slot().isEmpty() && running.stream()
                .anyMatch(one -> one.to().equals(next.to()) && one.slot().equals(next.slot()));
        return taken ? Optional.of(Reason.SLOT) : Optional.empty();
    }
}
