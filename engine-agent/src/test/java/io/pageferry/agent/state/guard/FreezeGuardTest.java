package io.pageferry.agent.state.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.host.disk.freeze.Freezer;
import io.pageferry.agent.host.disk.freeze.FrozenMounts;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.LoopDisk;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Nobody's file system stays frozen because an agent is gone. */
@Sampled
class FreezeGuardTest {
    private static final Duration LONG = Requirements.HANG;

    private static CompletableFuture<Void> write(Path file) {
        return CompletableFuture.runAsync(() -> {
            try {
                Files.writeString(file, "written");
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }, task -> Thread.ofPlatform().daemon().start(task));
    }

    private static Freezer frozen(LoopDisk disk, AgentGuard guard, Duration limit)
            throws IOException {
        Freezer freezer = Freezer.open(BlockDevices.ofHost(), List.of(disk.found().number()));
        guard.holdFrozen(freezer.record(limit));
        freezer.freeze(System.nanoTime() + LONG.toNanos());
        return freezer;
    }

    @Test
    void aKilledAgentsFileSystemsAreThawed() throws Exception {
        try (LoopDisk disk = LoopDisk.make(16 << 20)) {
            Path point = disk.mount(disk.device(), "ext4");
            Process agent = agent(disk, LONG);
            try {
                assertEquals("frozen", agent.inputReader().readLine());
                CompletableFuture<Void> waits = write(point.resolve("after"));
                agent.destroyForcibly();
                long killed = System.nanoTime();
                waits.get();
                System.out.println("thawed " + (System.nanoTime() - killed) / 1_000_000
                        + " ms after the kill");
            } finally {
                agent.destroyForcibly().onExit().join();
            }
        }
    }

    /** Also where it is not dead. */
    @Test
    void whatIsFrozenForTooLongIsThawed() throws Exception {
        try (LoopDisk disk = LoopDisk.make(16 << 20)) {
            Path point = disk.mount(disk.device(), "ext4");
            Process agent = agent(disk, Duration.ofSeconds(1));
            try {
                assertEquals("frozen", agent.inputReader().readLine());
                write(point.resolve("after")).get();
                assertTrue(agent.isAlive());
            } finally {
                agent.destroyForcibly().onExit().join();
            }
        }
    }

    private static Process agent(LoopDisk disk, Duration limit) throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java")
                .toString(), "-XX:-UsePerfData", "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("java.class.path"), FreezingAgent.class.getName(),
                disk.device(), Long.toString(limit.toMillis()))
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    @Test
    void theOneThatIsStartedWhereOneDiedThawsToo() throws Exception {
        try (LoopDisk disk = LoopDisk.make(16 << 20); AgentGuard guard = guard()) {
            Path point = disk.mount(disk.device(), "ext4");
            try (Freezer freezer = frozen(disk, guard, LONG)) {
                assertEquals(List.of(point), freezer.mountPoints());
                long first = holder(point);
                Processes.signal(first, Processes.startTicks(first).orElseThrow(), Signal.KILL);
                Stranger.await("the end of the guard", guard::isLost);
                guard.start();
                CompletableFuture<Void> waits = write(point.resolve("after"));
                guard.abandon();
                waits.get();
            }
        }
    }

    private static AgentGuard guard() {
        return new AgentGuard(Side.SOURCE, new MigrationListener() { });
    }

    /** The guard, of all children of this process the one that has the mount open. */
    private static long holder(Path point) {
        return ProcessHandle.current().children().mapToLong(ProcessHandle::pid)
                .filter(pid -> holds(pid, point)).findFirst().orElseThrow();
    }

    private static boolean holds(long pid, Path point) {
        try (Stream<Path> open = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
            return open.anyMatch(link -> isLinkTo(link, point));
        } catch (IOException e) {
            return false; // it has ended
        }
    }

    private static boolean isLinkTo(Path link, Path point) {
        try {
            return Files.readSymbolicLink(link).equals(point);
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }

    /** What is to stay frozen does, and what is released can be unmounted. */
    @Test
    void aFarewellAndAReleaseThawNothing() throws Exception {
        try (LoopDisk disk = LoopDisk.make(16 << 20); AgentGuard guard = guard()) {
            Path point = disk.mount(disk.device(), "ext4");
            try (Freezer freezer = frozen(disk, guard, LONG)) {
                guard.releaseFrozen();
                guard.abandon();
                freezer.requireFrozen(System.nanoTime() + LONG.toNanos());
                guard.holdFrozen(freezer.record(LONG));
                guard.dismiss();
                freezer.requireFrozen(System.nanoTime() + LONG.toNanos());
            }
            write(point.resolve("after")).get();
        }
    }

    @Test
    void whatIsKeptStaysFrozenWhateverBecomesOfItsAgent() throws Exception {
        try (LoopDisk disk = LoopDisk.make(16 << 20); AgentGuard guard = guard()) {
            disk.mount(disk.device(), "ext4");
            try (Freezer freezer = frozen(disk, guard, LONG)) {
                guard.keepFrozen();
                guard.abandon();
                freezer.requireFrozen(System.nanoTime() + LONG.toNanos());
            }
        }
    }

    /** It may go on by now. */
    @Test
    void nothingIsKeptThatWasFrozenForTooLong() throws Exception {
        try (LoopDisk disk = LoopDisk.make(16 << 20); AgentGuard guard = guard()) {
            disk.mount(disk.device(), "ext4");
            try (Freezer freezer = frozen(disk, guard, Duration.ZERO)) {
                IOException e = assertThrows(IOException.class, guard::keepFrozen);
                assertTrue(e.getMessage().contains("for too long"), e.getMessage());
                assertFalse(freezer.mountPoints().isEmpty());
            }
        }
    }

    @Test
    void whatIsNotThereIsTold() throws Exception {
        try (AgentGuard guard = guard()) {
            IOException e = assertThrows(IOException.class, () -> guard.holdFrozen(
                    FrozenMounts.parse("1000 1 8:1 %2Fnothing%09here")));
            assertTrue(e.getMessage().contains("/nothing\there"), e.getMessage());
            assertFalse(guard.isLost());
        }
    }
}
