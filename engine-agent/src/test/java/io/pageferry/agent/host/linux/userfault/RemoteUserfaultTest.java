package io.pageferry.agent.host.linux.userfault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.TinyProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RemoteUserfaultTest {
    private static final int INJECTIONS = 50;

    @BeforeAll
    static void needed() {
        Requirements.foreignTracking();
    }

    @Test
    void manyInjectionsLeaveNothingBehind() throws Exception {
        try (Stranger target = Stranger.start("sleep", "1000")) {
            Stranger.await("sleep", () -> sleeps(target.pid()));
            String before = traces(target.pid());
            for (int i = 0; i < INJECTIONS; i++) {
                try (RemoteUserfault remote = RemoteUserfault.open(target.pid())) {
                    assertTrue(remote.fd() >= 0);
                    assertTrue(remote.stoppedNanos() > 0);
                }
            }
            assertEquals(before, traces(target.pid()));
            assertTrue(Processes.isAlive(target.pid()));
            assertEquals("0", Processes.status(target.pid(), "TracerPid"));
        }
    }

    @Test
    void busyTargetGoesOn(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("count");
        String loop = "while :; do echo x >> '" + file + "'; done";
        try (Stranger target = Stranger.start("sh", "-c", loop)) {
            for (int i = 0; i < INJECTIONS; i++) {
                long size = sizeOf(file);
                RemoteUserfault.open(target.pid()).close();
                Stranger.await("next turn of the loop", () -> sizeOf(file) > size);
            }
            assertEquals("0000000000000000", Processes.status(target.pid(), "SigBlk"));
        }
    }

    @Test
    void stoppedTargetStaysStopped() throws Exception {
        try (Stranger target = Stranger.start("sleep", "1000")) {
            target.signal(Processes.Signal.STOP);
            Stranger.await("stop", () -> Processes.state(target.pid()) == 'T');
            RemoteUserfault.open(target.pid()).close();
            Stranger.await("stop again", () -> Processes.state(target.pid()) == 'T');
            assertTrue(Processes.isStopped(target.pid()));
            target.signal(Processes.Signal.CONT);
            Stranger.await("going on", () -> Processes.state(target.pid()) == 'S');
        }
    }

    @Test
    void anotherProcessCanTakeTheDescriptor() throws Exception {
        try (Stranger target = Stranger.start("sleep", "1000");
                RemoteUserfault remote = RemoteUserfault.open(target.pid())) {
            int copy = Processes.takeDescriptor(ProcessHandle.current().pid(), remote.fd());
            try (Userfault userfault = Userfault.adopt(copy)) {
                assertThrows(LinuxException.class, () -> userfault.register(4096, 4096));
            }
        }
    }

    @Test
    void refusesItselfChildrenAndTheDead() throws Exception {
        refused(ProcessHandle.current().pid(), "it is this process");
        Process child = new ProcessBuilder("sleep", "1000").start();
        try {
            refused(child.pid(), "child of this JVM");
        } finally {
            child.destroyForcibly();
            child.waitFor();
        }
        refused(child.pid(), "no such process");
    }

    @Test
    void refusesWhatIsTracedAlready() throws Exception {
        try (Stranger target = Stranger.start("sleep", "1000")) {
            CountDownLatch traced = new CountDownLatch(1);
            CountDownLatch done = new CountDownLatch(1);
            Thread tracer = Thread.ofPlatform().start(() -> trace(target.pid(), traced, done));
            try {
                traced.await();
                refused(target.pid(), "traces it already");
            } finally {
                done.countDown();
                tracer.join();
            }
            Stranger.await("end of tracing", () -> tracerOf(target.pid()).equals("0"));
            RemoteUserfault.open(target.pid()).close();
        }
    }

    /** The kernel ends the tracing with the thread. */
    private static void trace(long pid, CountDownLatch traced, CountDownLatch done) {
        try (Ptrace ptrace = Ptrace.prepare(pid, pid)) {
            ptrace.seize(0);
            traced.countDown();
            done.await();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void refuses32BitPrograms(@TempDir Path folder) throws Exception {
        try (Stranger target = TinyProgram.start32Bit(folder)) {
            refused(target.pid(), "not a 64-bit x86");
        }
    }

    private static void refused(long pid, String reason) {
        RemoteUserfault.Refused e = assertThrows(RemoteUserfault.Refused.class,
                () -> RemoteUserfault.open(pid));
        assertTrue(e.getMessage().contains(reason), e.getMessage());
        assertFalse(e.getMessage().contains("\n"));
    }

    private static String tracerOf(long pid) {
        try {
            return Processes.status(pid, "TracerPid");
        } catch (IOException e) {
            return "gone";
        }
    }

    /** Call 230, clock_nanosleep: the program has loaded and mapped all that it wants. */
    private static boolean sleeps(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/syscall")).startsWith("230 ");
        } catch (IOException e) {
            return false;
        }
    }

    private static long sizeOf(Path file) {
        return file.toFile().length();
    }

    /** Everything an injection could leave: descriptors, mappings and signals. */
    private static String traces(long pid) throws IOException {
        List<String> descriptors;
        try (Stream<Path> entries = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            descriptors = entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
        return descriptors + "\n" + ProcessMaps.of(pid) + "\n"
                + Processes.status(pid, "SigBlk") + Processes.status(pid, "SigPnd")
                + Processes.status(pid, "ShdPnd") + Processes.status(pid, "SigIgn")
                + Processes.status(pid, "SigCgt") + Processes.status(pid, "Threads");
    }
}
