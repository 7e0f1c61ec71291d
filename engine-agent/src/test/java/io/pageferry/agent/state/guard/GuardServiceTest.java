package io.pageferry.agent.state.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.NotifySocket;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many guards in one process. */
class GuardServiceTest {
    @TempDir
    private static Path shared;

    private static ServiceProcess service;

    @TempDir
    private Path folder;

    private StateDirectory directory;

    @BeforeAll
    static void start() throws IOException {
        service = ServiceProcess.start(shared);
    }

    @AfterAll
    static void end() {
        service.close();
    }

    @BeforeEach
    void begin() throws IOException {
        directory = StateDirectory.open(folder.resolve("state"));
    }

    private FileJournal prepared(UUID migration) throws IOException {
        FileJournal journal = directory.create(new JournalHeader(JournalHeader.SCHEMA, migration,
                Side.TARGET, "workload:1MiB", "", 1, Map.of()));
        journal.write(new JournalRecord(JournalState.PREPARED, 1, true, ""));
        return journal;
    }

    private boolean isSettled(UUID migration) {
        try {
            return directory.find(migration, Side.TARGET).orElseThrow().ownership().settled();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private GuardProcess connect() {
        return GuardProcess.connect(service.socket()).orElseThrow();
    }

    /** One that waits for a lock holds up none, and finishes what it began in the end. */
    @Test
    void eachConnectionIsAGuardOfItsOwn() throws IOException {
        UUID held = UUID.randomUUID();
        UUID free = UUID.randomUUID();
        try (GuardProcess second = connect(); FileJournal locked = prepared(held)) {
            assertFalse(locked.ownership().settled());
            GuardProcess first = connect();
            assertEquals(service.pid(), first.pid());
            first.watch(directory.path(), held, Side.TARGET.name());
            first.leave();
            prepared(free).close();
            second.watch(directory.path(), free, Side.TARGET.name());
            assertFalse(isSettled(held));
            second.abandon();
            assertTrue(isSettled(free));
            assertFalse(isSettled(held));
        }
        Stranger.await("the end of the first migration", () -> isSettled(held));
    }

    @Test
    void aGuardThatWasSentAwayDoesNothing() throws IOException {
        UUID migration = UUID.randomUUID();
        prepared(migration).close();
        GuardProcess guard = connect();
        guard.watch(directory.path(), migration, Side.TARGET.name());
        guard.close();
        assertFalse(isSettled(migration));
        // The service has closed the connection by then, and stays.
        connect().close();
    }

    /** Whatever a connection says: the service goes on. */
    @Test
    void garbageEndsNoOtherGuard() throws IOException {
        try (GuardProcess guard = connect()) {
            try (SocketChannel bad = SocketChannel.open(
                    UnixDomainSocketAddress.of(service.socket()))) {
                Channels.newOutputStream(bad).write("watch\ninject\tx\n\n\u0000\nclose\t0\n"
                        .getBytes(StandardCharsets.UTF_8));
                Channels.newInputStream(bad).readNBytes(40);
            }
            guard.watch(directory.path(), UUID.randomUUID(), Side.TARGET.name());
            assertThrows(IOException.class, () -> guard.userfault(-1));
            assertTrue(guard.isAlive());
        }
    }

    @Test
    void anAgentNoticesTheEndOfTheServiceAndStartsAGuardOfItsOwn() throws IOException {
        UUID migration = UUID.randomUUID();
        AgentGuard guard = new AgentGuard(Side.TARGET, MigrationListener.silent());
        try (ServiceProcess ends = ServiceProcess.start(folder)) {
            guard.start();
            assertFalse(guard.isLost());
            ends.signal(Signal.KILL);
            Stranger.await("the loss of the guard", guard::isLost);
            prepared(migration).close();
            guard.watch(directory, migration);
            assertFalse(guard.isLost());
        } finally {
            guard.abandon();
        }
        Stranger.await("the end of the migration", () -> isSettled(migration));
    }

    @Test
    void aStoppedServiceHoldsNobodyUp() throws IOException {
        try (ServiceProcess stands = ServiceProcess.start(folder)) {
            stands.signal(Signal.STOP);
            assertEquals(Optional.empty(), GuardProcess.connect(stands.socket()));
            try (AgentGuard guard = new AgentGuard(Side.TARGET, MigrationListener.silent())) {
                guard.start();
                assertFalse(guard.isLost());
            }
        }
    }

    /** Whoever could put another socket there could have guests ended. */
    @Test
    void aSocketThatOthersMayReplaceIsNotUsed() throws IOException {
        assertEquals(PosixFilePermissions.fromString("rw-------"),
                Files.getPosixFilePermissions(service.socket()));
        connect().close();
        Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
        try {
            assertEquals(Optional.empty(), GuardProcess.connect(service.socket()));
        } finally {
            Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwx------"));
        }
    }

    /** It tells its manager, takes no new guest, and leaves none that it sees to. */
    @Test
    void aStoppedServiceFinishesWhatItBegan() throws IOException {
        UUID migration = UUID.randomUUID();
        String manager = folder.resolve("notify").toString();
        try (NotifySocket told = new NotifySocket(manager);
                ServiceProcess stops = ServiceProcess.start(folder, Map.of("NOTIFY_SOCKET",
                        manager, "WATCHDOG_USEC", "1000000"));
                GuardProcess idle = GuardProcess.connect(stops.socket()).orElseThrow()) {
            Stranger.await("READY", () -> told.poll().startsWith("READY=1"));
            Stranger.await("the watchdog", () -> told.poll().equals("WATCHDOG=1"));
            try (FileJournal locked = prepared(migration)) {
                assertFalse(locked.ownership().settled());
                GuardProcess guard = GuardProcess.connect(stops.socket()).orElseThrow();
                guard.watch(directory.path(), migration, Side.TARGET.name());
                guard.leave();
                stops.signal(Signal.TERM);
                Stranger.await("STOPPING", () -> told.poll().startsWith("STOPPING=1"));
                assertEquals(Optional.empty(), GuardProcess.connect(stops.socket()));
                // Its agent gets another guard.
                Stranger.await("the end of an idle guard", () -> !idle.isAlive());
                assertTrue(stops.isAlive());
                assertFalse(isSettled(migration));
            }
            assertEquals(0, stops.exit());
        }
        assertTrue(isSettled(migration));
    }

    @Test
    void whatIsNotFinishedInTimeIsNamed() throws Exception {
        UUID migration = UUID.randomUUID();
        GuardService here = GuardService.open(folder.resolve("here.sock"), line -> { });
        Thread serving = Thread.ofPlatform().start(() -> {
            try {
                here.serve();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        try (FileJournal locked = prepared(migration)) {
            assertTrue(here.isAnswering());
            GuardProcess guard = GuardProcess.connect(folder.resolve("here.sock")).orElseThrow();
            guard.watch(directory.path(), migration, Side.TARGET.name());
            guard.leave();
            here.close();
            serving.join();
            assertEquals(List.of("migration " + migration), here.awaitFinished(1_000_000_000L));
            assertFalse(locked.ownership().settled());
        }
        assertEquals(List.of(), here.awaitFinished(Requirements.HANG.toNanos()));
        assertTrue(isSettled(migration));
    }

    /** Each look is a connection, so who asks often gets what was seen last. */
    @Test
    void thatItIsThereIsLookedForNowAndThen() throws IOException {
        AtomicLong clock = new AtomicLong();
        GuardService.Look look;
        try (ServiceProcess ends = ServiceProcess.start(folder)) {
            look = new GuardService.Look(clock::get);
            assertTrue(look.isThere());
            ends.signal(Signal.KILL);
            ends.exit();
            // No service is there, and the property leads there still.
            look.tick();
            assertTrue(look.isThere());
            clock.addAndGet(5_000_000_000L);
            look.tick();
            Stranger.await("a look", () -> !look.isThere());
        }
    }
}
