package io.pageferry.agent.host.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.userfault.KernelProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessesTest {
    @Test
    void knowsTheLivingFromTheDead() throws Exception {
        Stranger sleeper = Stranger.start("sleep", "1000");
        long start = Processes.startTicks(sleeper.pid()).orElseThrow();
        try (sleeper) {
            assertTrue(Processes.isAlive(sleeper.pid()));
            assertFalse(Processes.isStopped(sleeper.pid()));
            assertEquals("sleep", Processes.status(sleeper.pid(), "Name"));
        }
        assertFalse(Processes.isAlive(sleeper.pid()));
        assertFalse(Processes.isAlive(Integer.MAX_VALUE));
        assertTrue(Processes.startTicks(Integer.MAX_VALUE).isEmpty());
        assertFalse(Processes.signal(Integer.MAX_VALUE, start, Processes.Signal.CONT));
    }

    @Test
    void zombieIsDead(@TempDir Path folder) throws Exception {
        Path pid = folder.resolve("pid");
        // A child that has ended and a parent, replaced by sleep, that never asks for it.
        String script = "sh -c 'echo $$ > \"$0\"' '" + pid + "' & exec sleep 1000";
        Process shell = new ProcessBuilder("sh", "-c", script).start();
        try {
            Stranger.await("child", () -> pid.toFile().length() > 1);
            long child = Long.parseLong(Files.readString(pid).trim());
            Stranger.await("its end", () -> Processes.state(child) == 'Z');
            assertFalse(Processes.isAlive(child));
        } finally {
            shell.destroyForcibly();
            shell.waitFor();
        }
    }

    @Test
    void stopsAndContinuesOnlyWhomItMeans() throws Exception {
        try (Stranger sleeper = Stranger.start("sleep", "1000")) {
            long pid = sleeper.pid();
            long start = Processes.startTicks(pid).orElseThrow();
            assertFalse(Processes.signal(pid, start + 1, Processes.Signal.KILL));
            assertTrue(Processes.isAlive(pid), "another process had been meant");
            assertTrue(Processes.signal(pid, start, Processes.Signal.STOP));
            Stranger.await("stop", () -> Processes.state(pid) == 'T');
            assertTrue(Processes.isStopped(pid));
            assertTrue(Processes.signal(pid, start, Processes.Signal.CONT));
            Stranger.await("going on", () -> Processes.state(pid) == 'S');
        }
    }

    @Test
    void takesADescriptor() throws IOException {
        long self = ProcessHandle.current().pid();
        try (SharedMemory memory = SharedMemory.create("test", 4096)) {
            int number = Integer.parseInt(memory.procPath().getFileName().toString());
            int copy = Processes.takeDescriptor(self, number);
            try {
                assertEquals(ProcessMaps.fileId(memory.procPath()),
                        ProcessMaps.fileId(Path.of("/proc/self/fd/" + copy)));
            } finally {
                Processes.closeDescriptor(copy);
            }
            LinuxException e = assertThrows(LinuxException.class,
                    () -> Processes.takeDescriptor(self, 1 << 20));
            assertTrue(e.getMessage().contains("EBADF"), e.getMessage());
        }
    }

    @Test
    void findsTheOwnerOfASocket(@TempDir Path folder) throws IOException {
        Path socket = folder.resolve("with blank.sock");
        assertThrows(IOException.class, () -> UnixPeer.pid(socket));
        try (Stranger server = Stranger.startProgram("listen", socket.toString())) {
            Stranger.await("socket", () -> connects(socket));
            assertEquals(server.pid(), UnixPeer.pid(socket));
            assertEquals(List.of(server.pid()), UnixPeer.holders(socket));
        }
        assertThrows(IOException.class, () -> UnixPeer.pid(socket));
    }

    private static boolean connects(Path socket) {
        try {
            return UnixPeer.byConnecting(socket) > 0;
        } catch (LinuxException e) {
            return false;
        }
    }

    @Test
    void probeTellsEachStep() {
        List<KernelProbe.Step> steps = KernelProbe.run();
        steps.forEach(System.out::println);
        assertEquals(steps.stream().allMatch(KernelProbe.Step::ok),
                KernelProbe.canTrackOthers(steps));
        assertTrue(steps.stream().noneMatch(step -> step.detail().isBlank()));
        assertFalse(KernelProbe.summary(List.of(
                new KernelProbe.Step("userfaultfd", false, "EPERM"))).isBlank());
        assertFalse(KernelProbe.canTrackSelf(List.of(
                new KernelProbe.Step("userfaultfd", false, "EPERM"))));
    }
}
