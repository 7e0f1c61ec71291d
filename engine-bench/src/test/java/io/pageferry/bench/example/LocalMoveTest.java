package io.pageferry.bench.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.embed.IncomingMigration;
import io.pageferry.agent.embed.MigrationReport;
import io.pageferry.agent.embed.OutgoingMigration;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.MigrationEvent.RoundEnded;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.MigrationSnapshot;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.testing.EventLog;
import io.pageferry.core.testing.TestGuest;
import io.pageferry.core.testing.TestImage;
import io.pageferry.core.testing.TestIncomingGuest;
import io.pageferry.transport.local.LocalPort;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A guest that writes all the time moves over the example's link by the façade, each side on its
 * own thread.
 */
@Timeout(60)
class LocalMoveTest {
    private static final long SEED = 9;
    private static final int PAGES = 8192;
    private static final RegionTable REGIONS = new RegionTable(List.of(
            new Region(0, "low", 0, PageGeometry.bytesOf(PAGES / 2), PageGeometry.PAGE_SIZE),
            new Region(1, "high", 1L << 32, PageGeometry.bytesOf(PAGES / 2),
                    PageGeometry.PAGE_SIZE)));

    @TempDir
    private Path folder;

    private final LocalPort port = new LocalPort();
    private final TestGuest guest = new TestGuest(REGIONS, SEED, new EventLog());
    private final TestIncomingGuest there =
            new TestIncomingGuest(TestImage::new, new EventLog());
    private final ExecutorService other = Executors.newSingleThreadExecutor();

    @AfterEach
    void release() throws InterruptedException {
        other.shutdownNow();
        assertTrue(other.awaitTermination(30, TimeUnit.SECONDS), "the target does not end");
        guest.close();
        there.close();
    }

    @Test
    void theGuestGoesOnAtTheTarget() throws Exception {
        assertEquals(0, move(new Writer()).reconnects());
    }

    @Test
    void aLinkThatIsCutIsOpenedAnew() throws Exception {
        MigrationReport report = move(new Writer() {
            @Override
            public void on(MigrationEvent event) {
                super.on(event);
                if (event instanceof RoundEnded ended && ended.round().round() == 0) {
                    port.cut();
                }
            }
        });
        assertEquals(1, report.reconnects());
    }

    @Test
    void whereNobodyAcceptsNothingIsChanged() {
        while (port.connect().isPresent()) {
            // Until the port's backlog is full.
            continue;
        }
        MigrationReport report = OutgoingMigration.of(guest, port, "nowhere")
                .stateDirectory(folder).build().run();
        assertEquals(Result.REFUSED, report.outcome().result());
        assertTrue(report.outcome().reason().contains("nowhere"), report::toString);
        assertTrue(guest.isRunning());
    }

    @Test
    void whoNeverAnswersIsGivenUp() {
        MigrationReport report = OutgoingMigration.of(guest, port, "a deaf port")
                .stateDirectory(folder).reconnectWindow(Duration.ZERO)
                .listener(new Writer() {
                    @Override
                    public void on(MigrationEvent event) {
                        port.cut();
                    }

                    @Override
                    public void onCycle(MigrationSnapshot now) {
                        port.cut();
                    }
                }).build().run();
        assertFalse(report.isCompleted());
        assertTrue(guest.isRunning());
    }

    private MigrationReport move(MigrationListener listener) throws Exception {
        guest.write(3 * PAGES, PAGES);
        IncomingMigration incoming = IncomingMigration.into(there, port).stateDirectory(folder)
                .build();
        Future<MigrationReport> received = other.submit(incoming::run);
        MigrationReport sent = OutgoingMigration.of(guest, port, "the other thread")
                .stateDirectory(folder).listener(listener).build().run();
        assertEquals(Result.COMPLETED, sent.outcome().result(), sent::toString);
        assertEquals(Result.COMPLETED, received.get().outcome().result());
        assertTrue(there.isRunning());
        assertFalse(guest.isRunning());
        assertEquals(0, there.wrongPages());
        assertTrue(sent.isVerified(), sent::toString);
        return sent;
    }

    /** Writes on the migration's own thread, whenever it hears of it. */
    private class Writer implements MigrationListener {
        private void write() {
            if (guest.isRunning()) {
                guest.write(1, PAGES / 8);
            }
        }

        @Override
        public void on(MigrationEvent event) {
            write();
        }

        @Override
        public void onCycle(MigrationSnapshot now) {
            write();
        }
    }
}
