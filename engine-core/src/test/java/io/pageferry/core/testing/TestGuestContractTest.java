package io.pageferry.core.testing;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.testing.guest.GuestContractTest;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** The guest of the simulations, with holes that come and go: a thread has it write. */
class TestGuestContractTest extends GuestContractTest {
    private static final long SEED = 72;
    private static final int PAGES = 256;
    private static final long REST_NANOS = 50_000;

    @Override
    protected Guest open() {
        TestGuest guest = new TestGuest(new RegionTable(List.of(
                new Region(0, "low", 0, PageGeometry.bytesOf(PAGES / 2), PageGeometry.PAGE_SIZE),
                new Region(1, "high", 1L << 32, PageGeometry.bytesOf(PAGES / 2),
                        4 * PageGeometry.PAGE_SIZE))), SEED, new EventLog());
        guest.stateTakes(0, 0);
        return guest;
    }

    @Override
    protected void work(Guest opened) {
        synchronized (opened) {
            if (opened instanceof TestGuest guest && guest.isRunning()) {
                guest.write(2, PAGES);
            }
        }
        LockSupport.parkNanos(REST_NANOS);
    }

    @Override
    protected boolean holesMayBeRead() {
        return false;
    }
}
