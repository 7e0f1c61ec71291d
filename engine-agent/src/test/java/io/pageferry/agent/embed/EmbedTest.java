package io.pageferry.agent.embed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationEvent.Logged;
import io.pageferry.core.migration.MigrationEvent.RoundEnded;
import io.pageferry.core.migration.MigrationEvent.StateEntered;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Verification;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A guest that is an object of this process moves into another object of it. */
class EmbedTest extends EmbedRig {
    private static final Duration SHORT = Duration.ofMillis(300);

    /** Does something when a state is entered. */
    private static MigrationListener when(String state, Runnable then) {
        return heard(entered -> {
            if (entered.equals(state)) {
                then.run();
            }
        });
    }

    private static MigrationListener heard(Consumer<String> states) {
        return new MigrationListener() {
            @Override
            public void on(MigrationEvent event) {
                switch (event) {
                    case StateEntered entered -> states.accept(entered.state());
                    case RoundEnded _ -> states.accept("round");
                    case Logged _ -> { }
                }
            }
        };
    }

    @Test
    void movesWithEverythingItHas() throws Exception {
        Listening target = listen(options -> options);
        OutgoingMigration outgoing = to(target.address())
                .channels(2).verification(Verification.FULL).build();

        MigrationReport source = outgoing.run();
        MigrationReport received = target.report().get();

        assertEquals(Result.COMPLETED, source.outcome().result(), source.json());
        assertEquals(Result.COMPLETED, received.outcome().result(), received.json());
        assertTrue(arriving.isRunning() && !machine.isRunning());
        assertEquals(machine.counter(), arriving.counter());
        assertEquals(-1, here.window(0).mismatch(there.window(0)));
        assertEquals(1, machine.ends());
        assertEquals(0, arriving.discards());
        JsonNode json = new ObjectMapper().readTree(source.json());
        assertEquals("pageferry.report/1", json.path("schema").asText());
        assertEquals("full", json.at("/verification/method").asText());
        assertEquals(2, json.path("channels").asInt());
        assertEquals(outgoing.id(), source.migrationId().orElseThrow());
        assertEquals(source.migrationId(), received.migrationId());
        assertTrue(source.isVerified() && received.isVerified() && source.isCompleted());
        assertTrue(source.guestBytes() > 0 && source.wireBytes() > 0);
        assertTrue(source.rounds() >= 2 && source.deviceStateBytes() == Long.BYTES);
        assertTrue(source.downtime().isPositive()
                && source.downtime().compareTo(source.total()) < 0);
        assertThrows(IllegalStateException.class, outgoing::run);
        assertThrows(IllegalStateException.class, () -> outgoing.settle(SHORT));
    }

    @Test
    void keepsThePausedGuestWhereThatIsAsked() throws Exception {
        Listening target = listen(options -> options);

        MigrationReport source = to(target.address()).keepPaused().cold().build().run();

        assertTrue(source.isCompleted(), source.json());
        assertTrue(target.report().get().isCompleted());
        assertFalse(machine.isRunning());
        assertEquals(0, machine.ends());
    }

    @Test
    void callsTheListenerOnTheThreadThatRuns() throws Exception {
        Listening target = listen(options -> options);
        Thread runner = Thread.currentThread();
        StringBuilder heard = new StringBuilder();

        to(target.address()).listener(heard(what -> {
            assertEquals(runner, Thread.currentThread());
            heard.append(what).append(' ');
        })).build().run();

        target.report().get();
        assertTrue(heard.toString().startsWith("negotiating precopy round "), heard.toString());
        assertTrue(heard.toString().endsWith("switchover round granted done ended "),
                heard.toString());
    }

    @Test
    void whatListenersThrowDecidesNothing() throws Exception {
        Queue<String> told = new ConcurrentLinkedQueue<>();
        MigrationListener broken = heard(what -> {
            Thread.currentThread().setUncaughtExceptionHandler(
                    (runner, bug) -> told.add(bug.getMessage()));
            throw new IllegalStateException(what);
        });
        Listening target = listen(options -> options.listener(broken));
        try {
            MigrationReport source = to(target.address()).listener(broken).build().run();

            assertTrue(source.isCompleted(), source.json());
            assertTrue(target.report().get().isCompleted());
        } finally {
            Thread.currentThread().setUncaughtExceptionHandler(null);
        }
        assertTrue(told.containsAll(List.of("granted", "done", "active", "running", "round")),
                told::toString);
    }

    /** As {@code shutdownNow} does to a pool's threads; what was decided is on the disk. */
    @Test
    void anInterruptIsNoCancellation() throws Exception {
        MigrationListener interrupting = heard(what -> Thread.currentThread().interrupt());
        Listening target = listen(options -> options.listener(interrupting));

        MigrationReport source = to(target.address()).listener(interrupting).build().run();

        assertTrue(Thread.interrupted(), "the interrupt was swallowed");
        assertTrue(source.isCompleted(), source.json());
        assertTrue(target.report().get().isCompleted());
        for (Side side : Side.values()) {
            assertTrue(StateDirectory.open(folder).find(source.migrationId().orElseThrow(), side)
                    .orElseThrow().ownership().settled(), side + " is not settled");
        }
    }

    @Test
    void aCancelFromAnotherThreadLeavesTheGuestRunningHere() throws Exception {
        Listening target = listen(options -> options);
        CompletableFuture<OutgoingMigration> outgoing = new CompletableFuture<>();
        CompletableFuture<Void> cancelled = new CompletableFuture<>();
        outgoing.complete(to(target.address()).listener(when("round", () -> {
            Thread.ofPlatform().start(() -> {
                outgoing.join().cancel();
                cancelled.complete(null);
            });
            cancelled.join();
        })).build());

        MigrationReport source = outgoing.get().run();

        assertEquals(Result.CANCELLED, source.outcome().result(), source.json());
        assertEquals(Result.FAILED, target.report().get().outcome().result());
        assertTrue(machine.isRunning());
        assertEquals(0, machine.ends());
        assertEquals(1, arriving.discards());
        assertFalse(arriving.isRunning());
    }

    @Test
    void aTargetIsCancelledWhileItWaits() throws Exception {
        Listening target = listen(options -> options);

        target.migration().cancel();

        assertEquals(Result.CANCELLED, target.report().get().outcome().result());
    }

    @Test
    void anOfferThatIsRefusedChangesNothing() throws Exception {
        Listening target = listen(options -> options);
        try (PlainMemory small = new PlainMemory(SIZE / 2); Machine misfit = new Machine(small)) {
            MigrationReport refused = OutgoingMigration.of(misfit, target.address())
                    .stateDirectory(folder).build().run();

            assertEquals(Result.REFUSED, refused.outcome().result(), refused.json());
            assertTrue(refused.outcome().reason().contains("does not fit"), refused.json());
            assertTrue(misfit.isRunning());
        }
        assertTrue(to(target.address()).build().run().isCompleted());
        assertTrue(target.report().get().isCompleted());
    }

    @Test
    void twoMigrationsOfOneIdentityExcludeEachOther() throws Exception {
        Listening target = listen(options -> options);
        CompletableFuture<MigrationReport> second = new CompletableFuture<>();
        String name = "m1 " + UUID.randomUUID(); // it is the host's

        MigrationReport first = to(target.address()).identity(name)
                .listener(when("precopy", () -> second.complete(
                        to(target.address()).identity(name).build().run()))).build().run();

        assertTrue(first.isCompleted(), first.json());
        assertEquals(Result.REFUSED, second.get().outcome().result(), second.get().json());
        assertTrue(target.report().get().isCompleted());
    }

    /** A migration in doubt. */
    private record Doubtful(OutgoingMigration migration, SocketAddress target) { }

    /** The target's process dies at a state behind the grant: the source hears nothing. */
    private Doubtful doubtful(String state) throws Exception {
        Listening target = listen(options -> options.listener(when(state, () -> {
            // An exception would not get through.
            throw new AssertionError("the process dies here");
        })));
        OutgoingMigration outgoing = to(target.address()).settleWindow(SHORT).build();

        assertEquals(Result.IN_DOUBT, outgoing.run().outcome().result());
        assertThrows(ExecutionException.class, target.report()::get);
        assertFalse(machine.isRunning());
        assertEquals(Result.IN_DOUBT, outgoing.settle(SHORT).result());
        return new Doubtful(outgoing, target.address());
    }

    @Test
    void aFencedTargetGivesTheGuestBack() throws Exception {
        OutgoingMigration outgoing = doubtful("active").migration();

        assertEquals(Result.FAILED, outgoing.targetIsFenced().result());

        assertTrue(machine.isRunning());
        assertEquals(0, machine.ends());
        assertThrows(IllegalStateException.class, outgoing::targetIsFenced);
    }

    @Test
    void aGuestThatWasSeenAtTheTargetIsGivenUp() throws Exception {
        OutgoingMigration outgoing = doubtful("active").migration();

        assertEquals(Result.COMPLETED, outgoing.targetRunsIt().result());

        assertFalse(machine.isRunning());
        assertEquals(1, machine.ends());
    }

    @Test
    void aLaterTargetAnswersFromTheJournalOfOneThatIsGone() throws Exception {
        Doubtful doubt = doubtful("running");
        OutgoingMigration outgoing = doubt.migration();
        Listening later = listen(doubt.target(), options -> options);

        assertEquals(Result.COMPLETED, outgoing.settle(Requirements.HANG).result());

        assertFalse(machine.isRunning());
        assertEquals(1, machine.ends());
        later.migration().cancel();
    }
}
