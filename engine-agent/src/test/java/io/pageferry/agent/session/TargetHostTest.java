package io.pageferry.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.session.inbox.SlotState;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Named slots behind one listener, each with a thread. */
@Timeout(value = 400, unit = TimeUnit.SECONDS)
class TargetHostTest {
    private static final long PATIENCE_NANOS = 100_000_000_000L;
    private static final long HALF_A_REST_NANOS = 500_000_000;

    @TempDir
    private Path folder;

    private final BlockingQueue<AgentResult> finished = new LinkedBlockingQueue<>();
    private TargetHost host;

    @BeforeEach
    void open() throws IOException {
        host = TargetHost.open(Listener.at(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), Optional.empty()),
                folder.resolve("target"), MigrationListener.silent());
    }

    @AfterEach
    void close() {
        host.close();
    }

    private TargetSlotHandle add(String name) throws IOException {
        return host.add(name, Workloads.receive(folder), MigrationListener.silent(),
                finished::add);
    }

    private Outcome move(String slot) {
        return source(slot, MigrationLimits.defaults()).run().outcome();
    }

    private SourceSession source(String slot, MigrationLimits limits) {
        return Workloads.migrate(folder.resolve("source"), host.address(), slot,
                SourceOptions.defaults().withLimits(limits));
    }

    private void assertRefused(ErrorCode code, List<String> words, Outcome outcome) {
        assertEquals(Result.REFUSED, outcome.result(), outcome::reason);
        assertEquals(code, outcome.code(), outcome::reason);
        words.forEach(word -> assertTrue(outcome.reason().contains(word), outcome::reason));
    }

    private AgentResult arrived() throws InterruptedException {
        AgentResult result = finished.take();
        assertEquals(Result.COMPLETED, result.outcome().result(), result.outcome()::reason);
        return result;
    }

    @Test
    void aGuestGoesToTheSlotThatItsSourceNamesAndThatIsFullThen() throws Exception {
        TargetSlotHandle db = add("db");
        TargetSlotHandle web = add("web-1");
        assertEquals(List.of(SlotState.WAITING, SlotState.WAITING),
                List.of(db.state(), web.state()));
        assertRefused(ErrorCode.GUEST_MISMATCH, List.of("db", "web-1", "named"), move(""));
        assertRefused(ErrorCode.GUEST_MISMATCH, List.of("mail", "db, web-1"), move("mail"));

        assertEquals(Result.COMPLETED, move("web-1").result());
        assertTrue(arrived().report().json().at("/guestCheck").isObject());
        assertEquals(List.of(SlotState.WAITING, SlotState.FULL),
                List.of(db.state(), web.state()));
        assertEquals(Optional.empty(), web.migration());
        assertRefused(ErrorCode.BUSY, List.of("web-1"), move("web-1"));

        // One is free: it needs no name.
        assertEquals(Result.COMPLETED, move("").result());
        arrived();
        assertEquals(SlotState.FULL, db.state());
        assertRefused(ErrorCode.BUSY, List.of("a guest already"), move(""));

        web.close();
        assertEquals(SlotState.CLOSED, web.state());
        assertRefused(ErrorCode.GUEST_MISMATCH, List.of("web-1", "it has db"), move("web-1"));
        add("web-1");
        assertEquals(Result.COMPLETED, move("web-1").result());
    }

    /** It looked a thousand times a second once, which is some percent of a processor. */
    @Test
    void aListenerToWhichNobodyComesRests() throws Exception {
        add("a");
        assertRefused(ErrorCode.GUEST_MISMATCH, List.of("mail"), move("mail"));
        Thread.sleep(2000);
        long before = waits();
        Thread.sleep(3000);
        long waits = waits() - before;
        assertTrue(waits < 30, () -> waits + " in 3 s");
    }

    /** Returns how often the listener's thread has begun to wait. */
    private static long waits() throws IOException {
        try (Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
            for (Path thread : threads.toList()) {
                if (Files.readString(thread.resolve("comm")).strip().equals("target listener")) {
                    return Files.readAllLines(thread.resolve("status")).stream()
                            .filter(line -> line.startsWith("voluntary_ctxt_switches:"))
                            .mapToLong(line -> Long.parseLong(line.split("\\s+")[1]))
                            .findFirst().orElseThrow();
                }
            }
        }
        throw new AssertionError("no thread of the listener");
    }

    /**
     * It rests for a second: what nobody told it of would wait as long, each time. While somebody
     * is connected it does not rest; how long it takes then is the machine's.
     */
    @Test
    void whoComesEndsTheListenersRest() throws Exception {
        add("a");
        long busy = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            try (Socket silent = new Socket()) {
                silent.connect(host.address());
                busy = Math.min(busy, refusalNanos());
            }
        }
        long quickest = Long.MAX_VALUE;
        for (int tries = 0; tries < 40 && quickest - busy > HALF_A_REST_NANOS; tries++) {
            quickest = Math.min(quickest, refusalNanos());
        }
        String found = quickest / 1_000_000 + " ms, " + busy / 1_000_000 + " ms where it is busy";
        assertTrue(quickest - busy <= HALF_A_REST_NANOS, found);
    }

    private long refusalNanos() {
        long since = System.nanoTime();
        assertRefused(ErrorCode.GUEST_MISMATCH, List.of("mail"), move("mail"));
        return System.nanoTime() - since;
    }

    @Test
    void aSlotThatWaitsForItsGuestHoldsUpNoOther() throws Exception {
        CountDownLatch loading = new CountDownLatch(1);
        CountDownLatch loaded = new CountDownLatch(1);
        TargetSlotHandle slow = host.add("slow", slow(loading, loaded),
                MigrationListener.silent(), finished::add);
        add("quick");
        MigrationLimits usual = MigrationLimits.defaults();
        SourceSession source = source("slow", new MigrationLimits(usual.policy(),
                usual.maxDowntimeNanos(), usual.maxRounds(), usual.timeoutNanos(),
                usual.onNoConvergence(), PATIENCE_NANOS, usual.bandwidth(), usual.throttling()));
        Thread thread = Thread.ofPlatform().start(() -> AgentLoop.run(source));
        try {
            loading.await();
            assertEquals(SlotState.RECEIVING, slow.state());
            assertTrue(slow.migration().isPresent());
            assertEquals(Result.COMPLETED, move("quick").result());
            assertRefused(ErrorCode.BUSY, List.of("slow"), move("slow"));
        } finally {
            loaded.countDown();
            thread.join();
        }
        assertEquals(Result.COMPLETED, source.result().outcome().result(),
                source.result().outcome()::reason);
    }

    private ReceiveSettings slow(CountDownLatch loading, CountDownLatch loaded) {
        ReceiveSettings usual = Workloads.receive(folder);
        return new ReceiveSettings(new GuestFactory<>(usual.guest().text(),
                setup -> slow(usual.guest().open(setup), loading, loaded), () -> () -> { },
                () -> 0), usual.listen(), false, false, usual.options(), usual.stateDirectory(), 0,
                null, null);
    }

    private static TargetGuest slow(TargetGuest guest, CountDownLatch loading,
            CountDownLatch loaded) {
        return (TargetGuest) Proxy.newProxyInstance(TargetGuest.class.getClassLoader(),
                new Class<?>[] {TargetGuest.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("loadState")) {
                        loading.countDown();
                        loaded.await();
                    }
                    try {
                        return method.invoke(guest, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Test
    void anImageMakesItsSlotFullAndStaysWhenThatIsClosed() throws Exception {
        Path image = folder.resolve("image");
        GuestUri uri = GuestUri.parse("image:" + image);
        ReceiveSettings usual = Workloads.receive(folder);
        TargetSlotHandle slot = host.add("image", new ReceiveSettings(new GuestFactory<>(uri.text(),
                setup -> GuestKinds.of(uri).openTarget(uri, setup), () -> () -> { }, () -> 0),
                usual.listen(), true, false, TargetOptions.defaults(), usual.stateDirectory(), 0,
                null, null), MigrationListener.silent(), finished::add);
        assertThrows(IllegalArgumentException.class, () -> add("image"));
        GuestException busy = assertThrows(GuestException.class, () -> host.add("second",
                new ReceiveSettings(GuestFactory.target(uri), usual.listen(), false, false,
                        TargetOptions.defaults(), folder, 0, null, null),
                MigrationListener.silent(), finished::add));
        assertEquals(ErrorCode.BUSY, busy.code());
        assertEquals(Result.COMPLETED, move("image").result());
        arrived();
        assertEquals(SlotState.FULL, slot.state());
        slot.close();
        assertTrue(Files.exists(image));
        assertTrue(finished.isEmpty());
    }

    @Test
    void aCancelledMigrationLeavesTheSlotAndAClosedOneTakesItAlong() throws Exception {
        TargetSlotHandle slot = add("web");
        for (boolean close : new boolean[] {false, true}) {
            SourceSession source = source("web", MigrationLimits.defaults().with(
                    new Bandwidth(Bandwidth.LEAST, Bandwidth.LEAST)));
            Thread thread = Thread.ofPlatform().start(() -> AgentLoop.run(source));
            while (slot.state() != SlotState.RECEIVING && thread.isAlive()) {
                Thread.sleep(1);
            }
            if (close) {
                slot.close();
            } else {
                slot.cancel();
            }
            thread.join();
            assertFalse(source.result().outcome().result() == Result.COMPLETED,
                    source.result().outcome()::reason);
            while (!close && slot.state() != SlotState.WAITING) {
                Thread.sleep(1);
            }
        }
        assertEquals(SlotState.CLOSED, slot.state());
    }

    @Test
    void aSlotHasAProperName() {
        for (String bad : List.of("", "Web", "a/b", "x".repeat(65))) {
            assertThrows(IllegalArgumentException.class, () -> add(bad), bad);
        }
    }
}
