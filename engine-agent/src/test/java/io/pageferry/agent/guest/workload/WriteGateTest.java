package io.pageferry.agent.guest.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.round.WriteThrottle.Quota;
import org.junit.jupiter.api.Test;

/** The gate of an embedded guest's writer, by a clock that moves a little at each look. */
class WriteGateTest {
    private static final long LOOK = 100_000;
    private static final long MS = 1_000_000;

    private long now = Long.MAX_VALUE - 50 * MS;
    private final WriteGate gate = new WriteGate(() -> now += LOOK);

    @Test
    void anOpenGateHoldsNobody() {
        long held = 0;
        for (int i = 0; i < 1_000; i++) {
            now += MS;
            held += gate.pass(true, () -> false);
        }
        assertEquals(0, held);
        assertEquals(0, gate.stolenNanos());
        assertEquals(Long.MAX_VALUE, gate.allowance());
    }

    @Test
    void aPercentageOfTheTimeIsTakenAndMeasured() {
        for (int percent : new int[] {5, 20, 50, 80}) {
            gate.set(percent);
            gate.pass(true, () -> false);
            long start = now;
            long before = gate.stolenNanos();
            long held = 0;
            for (int i = 0; i < 200; i++) {
                now += MS;
                held += gate.pass(true, () -> false);
            }
            long stolen = gate.stolenNanos() - before;
            assertEquals(held, stolen);
            assertEquals(percent, 100.0 * stolen / (now - start), 0.05 * percent + 1);
        }
    }

    @Test
    void aQuotaBoundsTheWritesOfEachPeriod() {
        Quota quota = new Quota(40, 10 * MS);
        gate.quota(quota);
        long start = now;
        long wrote = 0;
        while (now - start < 500 * MS) {
            gate.pass(true, () -> false);
            if (gate.allowance() > 0) {
                gate.wrote(1);
                wrote++;
            }
        }
        assertTrue(wrote <= 40 * 51, "wrote " + wrote);
        assertTrue(wrote >= 40 * 40, "wrote " + wrote);
        assertTrue(gate.stolenNanos() > 0);
    }

    @Test
    void oneWithoutWorkIsNotHeldByAQuota() {
        gate.quota(new Quota(1, 1_000 * MS));
        assertEquals(1, gate.allowance());
        gate.wrote(1);
        assertEquals(0, gate.allowance());
        assertEquals(0, gate.pass(false, () -> false));
    }

    @Test
    void undoingItLetsAHeldWriterGo() {
        gate.set(99);
        gate.pass(true, () -> false);
        now += 50 * MS;
        long[] looks = new long[1];
        long held = gate.pass(true, () -> {
            if (++looks[0] == 3) {
                gate.close();
            }
            return false;
        });
        assertEquals(3, looks[0]);
        assertTrue(held < 2 * MS, "held for " + held);
        assertEquals(0, gate.pass(true, () -> false));
    }

    @Test
    void aGuestIsNeverStoppedByAThrottle() {
        assertThrows(IllegalArgumentException.class, () -> gate.set(100));
        assertThrows(IllegalArgumentException.class, () -> gate.set(-1));
    }
}
