package io.pageferry.agent.demo;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Requirements;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A demo that is killed leaves no QEMU and no memory behind. */
class DemoGuardTest {
    @TempDir
    Path folder;

    /** Starts a QEMU, says which, and waits to be killed. */
    static final class Victim {
        private Victim() {
        }

        public static void main(String[] args) throws IOException {
            DemoMachine machine = new DemoMachine(DemoTools.find(Path.of(args[1])),
                    GuestLoad.LIGHT, 192L << 20, 1, DemoMachine.Memory.FILE, List.of());
            DemoQemu qemu = DemoQemu.target(machine, Path.of(args[0]));
            System.out.println(qemu.process().pid() + " " + qemu.memoryFile());
            while (true) {
                LockSupport.park();
            }
        }
    }

    @Test
    void nothingOutlivesAKilledJvm() throws IOException {
        DemoTools tools = TestMachines.tools();
        Path base = folder.resolve("vm");
        Process victim = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), Victim.class.getName(),
                base.toString(), tools.kernel().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        ProcessMark qemu;
        Path memory;
        try (BufferedReader out = new BufferedReader(new InputStreamReader(
                victim.getInputStream(), StandardCharsets.UTF_8))) {
            String[] words = out.readLine().split(" ");
            qemu = ProcessMark.of(Long.parseLong(words[0]));
            memory = Path.of(words[1]);
            assertTrue(qemu.isAlive());
            assertTrue(Files.exists(memory));
        } finally {
            victim.destroyForcibly();
        }
        await(() -> !qemu.isAlive() && Files.notExists(memory)
                && Files.notExists(folder.resolve("vm.console")));
    }

    @Test
    void aReusedNumberIsAnotherProcess() throws IOException {
        ProcessMark self = ProcessMark.of(ProcessHandle.current().pid());
        assertTrue(self.isAlive());
        ProcessMark other = new ProcessMark(self.pid(), self.startTicks() - 1);
        assertFalse(other.isAlive());
        other.kill();
        assertTrue(self.isAlive());
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Requirements.HANG.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadline < 0, "still there");
            LockSupport.parkNanos(5_000_000);
        }
    }
}
