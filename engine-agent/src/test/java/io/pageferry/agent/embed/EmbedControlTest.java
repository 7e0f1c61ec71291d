package io.pageferry.agent.embed;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.e2e.Poll;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.session.TargetHost;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import java.net.SocketAddress;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What is done with a move while it is under way, as an agent's API does it. */
class EmbedControlTest extends EmbedRig {
    private static final MigrationLimits SLOWLY = MigrationLimits.defaults()
            .with(new Bandwidth(Bandwidth.LEAST, 0));

    /** Moves the guest slowly at first, and with all of the link once it is under way. */
    private MigrationReport hurried(SocketAddress address) throws Exception {
        CountDownLatch moving = new CountDownLatch(1);
        OutgoingMigration migration = to(address).limits(SLOWLY).listener(new MigrationListener() {
            @Override
            public void on(MigrationEvent event) {
                if (event instanceof MigrationEvent.StateEntered now
                        && now.state().equals("precopy")) {
                    moving.countDown();
                }
            }
        }).build();
        try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
            Future<MigrationReport> report = thread.submit(migration::run);
            moving.await();
            migration.limits(MigrationLimits.defaults());
            return report.get();
        }
    }

    @Test
    void limitsChangeWhileItMoves() throws Exception {
        fill();
        MigrationReport source = hurried(listen(options -> options).address());
        assertEquals(Result.COMPLETED, source.outcome().result(), source.json());
        JsonNode changed = new ObjectMapper().readTree(source.json()).path("limitsChanged");
        assertEquals("bandwidth", changed.path(0).path("what").asText(), source.json());
    }

    private void fill() {
        for (long at = 0; at < SIZE; at += Long.BYTES) {
            here.window(0).set(JAVA_LONG, at,
                    at * 0x9E3779B97F4A7C15L);
        }
    }

    @Test
    void itsMapIsThereWhileItMoves() throws Exception {
        fill();
        Listening target = listen(options -> options);
        OutgoingMigration migration = to(target.address()).limits(SLOWLY).build();
        assertEquals(Optional.empty(), migration.map());
        try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
            Future<MigrationReport> report = thread.submit(migration::run);
            Poll.until(() -> migration.map().filter(map -> !map.cells().isEmpty()).isPresent(),
                    () -> "no map");
            migration.cancel();
            assertEquals(Result.CANCELLED, report.get().outcome().result());
        }
        // It waits for the next one.
        target.migration().cancel();
        target.report().get();
    }

    @Test
    void aSlotOfTheTargetIsNamed() throws Exception {
        try (TargetHost host = TargetHost.open(Listener.at(anyPort(), Optional.empty()), folder,
                MigrationListener.silent())) {
            MigrationReport source = to(host.address()).slot("web").build().run();
            assertEquals(Result.REFUSED, source.outcome().result(), source.json());
            assertTrue(source.outcome().reason().contains("no slot web"), source.json());
        }
        assertThrows(IllegalArgumentException.class, () -> to(anyPort()).slot("Web"));
    }
}
