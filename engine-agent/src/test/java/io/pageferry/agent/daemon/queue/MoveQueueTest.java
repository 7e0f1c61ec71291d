package io.pageferry.agent.daemon.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.daemon.queue.MoveQueue.Move;
import io.pageferry.agent.daemon.queue.MoveQueue.Reason;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MoveQueueTest {
    private static final long FREE = 1000;
    private static final Move ONE = new Move("t:1", "a", 100);

    @Test
    void asManyMoveAsMay() {
        MoveQueue queue = new MoveQueue(2, 0);
        Move next = new Move("t:1", "b", 100);
        assertEquals(Optional.empty(), queue.obstacle(next, List.of(ONE), FREE));
        assertEquals(Optional.of(Reason.PARALLEL),
                queue.obstacle(next, List.of(ONE, ONE), FREE));
    }

    @Test
    void aSlotTakesOneAtATime() {
        MoveQueue queue = new MoveQueue(4, 0);
        assertEquals(Optional.of(Reason.SLOT), queue.obstacle(ONE, List.of(ONE), FREE));
        assertEquals(Optional.empty(), queue.obstacle(new Move("t:2", "a", 100),
                List.of(ONE), FREE));
        Move anySlot = new Move("t:1", "", 100);
        assertEquals(Optional.empty(), queue.obstacle(anySlot, List.of(anySlot), FREE));
    }

    @Test
    void memoryHasToBeFreeUnlessNothingMoves() {
        MoveQueue queue = new MoveQueue(4, 0);
        Move large = new Move("t:1", "b", FREE + 1);
        assertEquals(Optional.of(Reason.MEMORY), queue.obstacle(large, List.of(ONE), FREE));
        assertEquals(Optional.empty(), queue.obstacle(large, List.of(), FREE));
    }

    @Test
    void nobodyGetsLessThanAPageNeeds() {
        MoveQueue queue = new MoveQueue(4, 300_000);
        Move next = new Move("t:1", "b", 100);
        assertEquals(Optional.empty(), queue.obstacle(next, List.of(ONE), FREE));
        assertEquals(Optional.of(Reason.LINK), queue.obstacle(next, List.of(ONE, ONE), FREE));
    }

    @Test
    void sharesAreFair() {
        assertEquals(List.of(0L, 5_000_000L), BandwidthShares.of(0, List.of(0L, 5_000_000L)));
        assertEquals(List.of(5_000_000L, 5_000_000L),
                BandwidthShares.of(10_000_000, List.of(0L, 0L)));
        // What one does not want is for the others.
        assertEquals(List.of(4_500_000L, 1_000_000L, 4_500_000L),
                BandwidthShares.of(10_000_000, List.of(0L, 1_000_000L, 9_000_000L)));
        assertEquals(List.of(), BandwidthShares.of(10_000_000, List.of()));
        assertEquals(List.of(125_000L), BandwidthShares.of(1, List.of(0L)));
    }
}
