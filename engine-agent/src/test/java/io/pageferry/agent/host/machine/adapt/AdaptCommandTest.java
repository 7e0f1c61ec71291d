package io.pageferry.agent.host.machine.adapt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.e2e.AgentJars;
import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.block.LoopDisk;
import io.pageferry.agent.host.machine.TinySystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code pageferry adapt} as a process of its own, to its end and in the middle of its work. */
@Sampled
class AdaptCommandTest {
    private static final String MARK = "87654.3219";

    @TempDir
    private Path folder;

    private TinySystem system;
    private Process process;

    @BeforeEach
    void make() throws IOException {
        Assumptions.assumeTrue(Files.isWritable(Path.of("/dev/loop-control"))
                && Files.isWritable(Path.of("/dev/fuse")), "no loop devices and FUSE here");
        system = TinySystem.in(folder.resolve("root"));
    }

    @AfterEach
    void end() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    private Path disk() throws IOException {
        return TinyDisk.make(folder.resolve("disk.raw"), system.root(), TinyDisk.ROOT_SECTORS);
    }

    private void start(String path, String... arguments) throws IOException {
        List<String> words = new ArrayList<>(List.of("adapt"));
        words.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(AgentJars.command(List.of(), words));
        builder.environment().merge("PATH", path, (old, more) -> more + ":" + old);
        process = builder.redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile()).start();
    }

    private String said() throws IOException {
        return Files.readString(folder.resolve("out")) + Files.readString(folder.resolve("err"));
    }

    private int exit() throws Exception {
        assertTrue(process.waitFor(Requirements.HANG.toSeconds(), TimeUnit.SECONDS), "it hangs");
        return process.exitValue();
    }

    @Test
    void itSaysWhatItDid() throws Exception {
        Path disk = disk();
        start("", disk.toString(), "--for", "kvm", "--mac", "ens8=" + TinySystem.MAC, "--clone",
                "--hostname", "web2", "--json");

        assertEquals(0, exit(), said());

        JsonNode event = new ObjectMapper().readTree(Files.readString(folder.resolve("out")));
        assertEquals("adapted", event.path("event").asText());
        assertEquals("web2", event.path("hostname").asText());
        assertTrue(event.path("changes").findValuesAsText("path").contains("/etc/fstab"));
        assertEquals("web2\n", TinyDisk.read(disk, "/etc/hostname"));
    }

    /** Ctrl-C undoes what was begun; what is killed by force leaves its folder alone. */
    @ParameterizedTest
    @EnumSource(value = Signal.class, names = {"TERM", "KILL"})
    void whatIsEndedInTheMiddleLeavesTheDiskAsItWas(Signal signal) throws Exception {
        system.program("usr/sbin/update-initramfs", "/usr/bin/sleep " + MARK + "\n");
        Path disk = disk();
        byte[] before = Files.readAllBytes(disk);
        start("", disk.toString(), "--for", "kvm", "--mac", "ens8=" + TinySystem.MAC);
        await("its program runs", () -> isRunning() || !process.isAlive());
        assertTrue(process.isAlive(), said());

        Processes.signal(process.pid(), Processes.startTicks(process.pid()).orElseThrow(), signal);

        int exit = exit();
        assertEquals(signal == Signal.KILL ? 128 + 9 : 7, exit, said());
        await("no process is left", () -> !isRunning());
        await("no device is left", () -> !LoopDisk.run("losetup", "--list")
                .contains(".pageferry-adapt"));
        assertArrayEquals(before, Files.readAllBytes(disk));
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(signal == Signal.KILL, left.anyMatch(one -> one.getFileName().toString()
                    .startsWith(".pageferry")));
        }
    }

    /** Half of it would be worse than all: it is said, and ends well. */
    @Test
    void whatIsBeingWrittenIsNotCutOff() throws Exception {
        Path disk = disk();
        Path tools = Files.createDirectory(folder.resolve("tools"));
        Path program = Files.writeString(tools.resolve("qemu-img"), """
                #!/bin/sh
                if [ "$1" = commit ]; then
                    touch %1$s/commits
                    until [ -e %1$s/go ]; do sleep 0.1; done
                fi
                exec /usr/bin/qemu-img "$@"
                """.formatted(folder));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        start(tools.toString(), disk.toString(), "--for", "kvm", "--mac", "ens8=" + TinySystem.MAC);
        await("it is written", () -> Files.exists(folder.resolve("commits"))
                || !process.isAlive());
        try {
            Processes.signal(process.pid(), Processes.startTicks(process.pid()).orElseThrow(),
                    Signal.TERM);
            await("it is said", () -> said().contains("which cannot be cancelled now")
                    || !process.isAlive());
            assertTrue(process.isAlive(), said());
        } finally {
            Files.createFile(folder.resolve("go"));
        }
        assertEquals(0, exit(), said());
        assertTrue(TinyDisk.read(disk, "/etc/fstab").contains("UUID=" + TinySystem.ROOT_UUID));
    }

    /** It works on the overlay as everything does, and what it fails in changes nothing. */
    @Test
    void virtV2vWorksOnTheOverlay() throws Exception {
        Path disk = disk();
        Path tools = Files.createDirectory(folder.resolve("tools"));
        Path program = Files.writeString(tools.resolve("virt-v2v-in-place"), """
                #!/bin/sh
                # -i disk -if qcow2 FILE
                [ "$1 $2 $3 $4" = "-i disk -if qcow2" ] || exit 8
                qemu-io -f qcow2 -c "write -P 77 512 512" "$5" || exit 9
                exit ${FAILS:-0}
                """);
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        byte[] before = Files.readAllBytes(disk);

        Files.writeString(program, Files.readString(program).replace("FAILS:-0", "FAILS:-5"));
        start(tools.toString(), disk.toString(), "--for", "kvm", "--adapter", "virt-v2v");
        assertEquals(3, exit(), said());
        assertArrayEquals(before, Files.readAllBytes(disk));

        Files.writeString(program, Files.readString(program).replace("FAILS:-5", "FAILS:-0"));
        start(tools.toString(), disk.toString(), "--for", "kvm", "--adapter", "virt-v2v");
        assertEquals(0, exit(), said());
        assertEquals(77, Files.readAllBytes(disk)[512]);
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void await(String what, Condition condition) throws IOException {
        long deadline = System.nanoTime() + Requirements.HANG.toNanos();
        while (!condition.holds()) {
            assertFalse(System.nanoTime() - deadline > 0, "not in time: " + what);
        }
    }

    private static boolean isRunning() {
        return ProcessHandle.allProcesses().anyMatch(one -> {
            try {
                return Files.readString(Path.of("/proc/" + one.pid() + "/cmdline"),
                        StandardCharsets.ISO_8859_1).contains("\0" + MARK + "\0");
            } catch (IOException e) {
                return false;
            }
        });
    }
}
