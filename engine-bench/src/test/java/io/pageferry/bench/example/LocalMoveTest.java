package io.pageferry.bench.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.source.SourceMigration;
import io.pageferry.core.source.SourceOptions;
import io.pageferry.core.source.SourceParts;
import io.pageferry.core.testing.EventLog;
import io.pageferry.core.testing.TestGuest;
import io.pageferry.core.testing.TestIncomingGuest;
import io.pageferry.core.testing.TestJournal;
import java.util.List;
import java.util.UUID;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A guest that writes all the time moves over the example's link, each side on its own thread. */
@Timeout(60)
class LocalMoveTest {
    private static final long SEED = 9;
    private static final int PAGES = 8192;
    private static final RegionTable REGIONS = new RegionTable(List.of(
            new Region(0, "low", 0, PageGeometry.bytesOf(PAGES / 2), PageGeometry.PAGE_SIZE),
            new Region(1, "high", 1L << 32, PageGeometry.bytesOf(PAGES / 2),
                    PageGeometry.PAGE_SIZE)));

    @Test
    void theGuestGoesOnAtTheTarget() {
        move(Integer.MAX_VALUE);
    }

    @Test
    void aLinkThatIsCutIsOpenedAnew() {
        assertEquals(1, move(20));
    }

    /** Moves a guest; cuts the link once that many batches were sent. Returns the reconnects. */
    private static long move(int cutAfter) {
        LocalPort port = new LocalPort();
        TestGuest guest = new TestGuest(REGIONS, SEED, new EventLog());
        guest.write(3 * PAGES, PAGES);
        try (guest; LocalReceiver receiver = new LocalReceiver(port);
                SourceMigration from = new SourceMigration(new SourceParts(UUID.randomUUID(),
                        guest, port.connect().orElseThrow(), port,
                        new TestJournal("source", new EventLog()), SystemNanoClock.INSTANCE,
                        MigrationListener.silent(), SourceOptions.defaults()))) {
            boolean cut = false;
            while (!from.isDone()) {
                if (guest.isRunning()) {
                    guest.write(1, PAGES / 8);
                }
                from.doWork();
                if (!cut && from.figures().wireBytes() > cutAfter * (512L << 10)) {
                    cut = true;
                    port.cut();
                }
            }
            assertEquals(Result.COMPLETED, from.outcome().orElseThrow().result(),
                    () -> from.outcome().toString());
            assertEquals(Result.COMPLETED, receiver.outcome().result());
            TestIncomingGuest there = receiver.guest();
            assertTrue(there.isRunning());
            assertFalse(guest.isRunning());
            assertEquals(0, there.wrongPages());
            assertTrue(from.figures().digestsCompared());
            assertEquals(from.figures().sourceDigest(), from.figures().targetDigest());
            return from.figures().reconnects();
        }
    }
}
