package io.pageferry.agent.state.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.process.Fifo;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GuardProcessTest {
    private static final long HANG_NANOS = Requirements.HANG.toNanos();
    private static final long SECOND = 1_000_000_000L;

    @TempDir
    private Path folder;

    private ServiceProcess service;

    /** Whose guards agents have. */
    enum Guards {
        OWN, SERVICE
    }

    private void use(Guards guards) throws IOException {
        if (guards == Guards.SERVICE) {
            service = ServiceProcess.start(folder);
        }
    }

    @AfterEach
    void end() {
        if (service != null) {
            service.close();
        }
    }

    @Test
    void aGuardThatWasStoppedHoldsNobodyUp() throws IOException {
        GuardProcess guard = GuardProcess.start(SECOND);
        long pid = guard.pid();
        Processes.signal(pid, Processes.startTicks(pid).orElseThrow(), Signal.STOP);
        IOException e = assertThrows(GuardException.class,
                () -> guard.watch(folder, UUID.randomUUID(), "SOURCE"));
        assertTrue(e.getMessage().contains("gives no answer"), e.getMessage());
        guard.close();
        Stranger.await("the end of the guard", () -> !guard.isAlive());
    }

    @Test
    void aGuardThatEndedIsToldAsGone() throws IOException {
        GuardProcess guard = GuardProcess.start();
        Processes.signal(guard.pid(), Processes.startTicks(guard.pid()).orElseThrow(),
                Signal.KILL);
        IOException e = assertThrows(GuardException.class,
                () -> guard.watch(folder, UUID.randomUUID(), "SOURCE"));
        assertTrue(e.getMessage().contains("ended"), e.getMessage());
        guard.close();
    }

    /** Also the one that is started where that died. */
    @ParameterizedTest
    @EnumSource
    void aPipeIsHeldOpenUntilTheGuardIsSentAway(Guards guards) throws Exception {
        use(guards);
        Path path = folder.resolve("pipe");
        AgentGuard guard = new AgentGuard(Side.TARGET, new MigrationListener() { });
        CompletableFuture<Integer> read;
        try (Fifo pipe = Fifo.create(path)) {
            guard.holdOpen(path);
            killHolder(path, guard);
            guard.watch(StateDirectory.open(folder), UUID.randomUUID());
            read = CompletableFuture.supplyAsync(() -> {
                try (InputStream in = Files.newInputStream(path)) {
                    return in.readAllBytes().length;
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            pipe.write(new byte[] {1}, () -> true, System.nanoTime() + HANG_NANOS);
            pipe.awaitRead(() -> true, System.nanoTime() + HANG_NANOS);
        }
        assertEquals(2, ProcessMaps.holdersOf(path).size(), "reader and guard");
        assertFalse(read.isDone());
        guard.dismiss();
        assertEquals(1, read.get());
    }

    private static void killHolder(Path pipe, AgentGuard guard) throws IOException {
        long holder = ProcessMaps.holdersOf(pipe).stream()
                .filter(pid -> pid != ProcessHandle.current().pid()).findFirst().orElseThrow();
        Processes.signal(holder, Processes.startTicks(holder).orElseThrow(), Signal.KILL);
        Stranger.await("the end of the guard", guard::isLost);
    }

    /** Whatever it is started for. */
    @ParameterizedTest
    @EnumSource
    void theOneThatIsStartedWhereOneDiedFinishesTheMigration(Guards guards) throws IOException {
        use(guards);
        Path path = folder.resolve("pipe");
        StateDirectory directory = StateDirectory.open(folder.resolve("state"));
        UUID migration = UUID.randomUUID();
        try (FileJournal journal = directory.create(new JournalHeader(JournalHeader.SCHEMA,
                migration, Side.TARGET, "workload:1MiB", "", 1, Map.of()))) {
            journal.write(new JournalRecord(JournalState.PREPARED, 1, true, ""));
        }
        AgentGuard guard = new AgentGuard(Side.TARGET, new MigrationListener() { });
        Fifo.create(path).close();
        try {
            guard.watch(directory, migration);
            guard.holdOpen(path);
            killHolder(path, guard);
            guard.holdOpen(path);
            guard.abandon();
        } finally {
            guard.close();
        }
        Stranger.await("the end of the migration", () -> isSettled(directory));
    }

    private static boolean isSettled(StateDirectory directory) {
        try {
            return directory.all(line -> { }).getFirst().ownership().settled();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** What it may have launched ends with it. */
    @ParameterizedTest
    @EnumSource
    void aGuardThatDoesNotSayWhatItLaunchedIsNotKept(Guards guards) throws IOException {
        use(guards);
        AgentGuard guard = new AgentGuard(Side.TARGET, new MigrationListener() { });
        try {
            guard.start();
            assertThrows(IOException.class, () -> guard.launch(folder.resolve("missing")));
            assertFalse(guard.isThere());
        } finally {
            guard.close();
        }
    }
}
