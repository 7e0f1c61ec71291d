package io.pageferry.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class GuestLoadTest {
    @Test
    void aSlowLoadChecksEveryPage() {
        GuestLoad load = GuestLoad.of(64L << 20, 8L << 20, false);
        assertEquals(new GuestLoad(10, 64, 8 << 10, 0, 0, false), load);
    }

    @Test
    void aFastLoadIsSplit() {
        for (int mib : new int[] {4, 5, 31, 256}) {
            GuestLoad load = GuestLoad.of((long) mib << 20, 100L << 20, true);
            assertEquals(mib, load.setMiB() + load.bulkMiB());
            assertEquals(100 << 10, load.rateKiB() + load.bulkRateKiB());
            assertTrue(load.bulkMiB() >= 2 && load.setMiB() >= 1, load.toString());
        }
        assertEquals(240, GuestLoad.of(256L << 20, 100L << 20, true).bulkMiB());
    }

    @Test
    void whatNoGuestCanDoIsRefused() {
        assertThrows(IllegalArgumentException.class,
                () -> new GuestLoad(0, 1, 1, 0, 0, false));
        assertThrows(IllegalArgumentException.class,
                () -> new GuestLoad(10, 1, 1, 3, 1, false));
        assertThrows(IllegalArgumentException.class,
                () -> new GuestLoad(10, 1, -1, 0, 0, false));
        DemoTools none = new DemoTools(null, null, null);
        assertThrows(IllegalArgumentException.class,
                () -> new DemoMachine(none, GuestLoad.HEAVY, 64L << 20));
    }
}
