package io.pageferry.agent.demo;

import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.PrivateFiles;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One running QEMU of a {@link DemoMachine}. It is detached: a child of a JVM cannot be traced by
 * that JVM, whose reaper would eat the tracer's stops. So that it does not outlive a JVM that was
 * killed, a small shell waits for the JVM's end and cleans up.
 *
 * <p>Not thread-safe, except {@link #close()}.
 */
public final class DemoQemu implements AutoCloseable {
    private static final long START_SECONDS = 30;
    private static final long END_NANOS = 5_000_000_000L;
    /** Compares the start time, so that a reused number is never killed. */
    private static final String GUARD = """
            trap '' INT TERM HUP
            pid=$1 start=$2
            shift 2
            read -r line
            stat=$(cat "/proc/$pid/stat")
            if [ "$(echo "${stat##*)}" | cut -d ' ' -f 21)" = "$start" ]; then
                kill -9 "$pid"
            fi
            rm -f "$@"
            """;

    private final DemoMachine machine;
    private final ProcessMark process;
    private final Process guard;
    private final List<Path> files;
    private final Path base;
    private final Path memoryFile;

    private DemoQemu(DemoMachine machine, ProcessMark process, Process guard, List<Path> files,
            Path base) {
        this.machine = machine;
        this.process = process;
        this.guard = guard;
        this.files = files;
        this.base = base;
        this.memoryFile = files.getLast();
    }

    /** Starts a guest; it boots at once. See {@link #start(DemoMachine, Path, Path, boolean)}. */
    public static DemoQemu source(DemoMachine machine, Path base) throws IOException {
        return start(machine, base, memoryFile(base), false);
    }

    /** Starts a QEMU that waits for a guest ({@code -S -incoming defer}). */
    public static DemoQemu target(DemoMachine machine, Path base) throws IOException {
        return start(machine, base, memoryFile(base), true);
    }

    private static Path memoryFile(Path base) {
        return Path.of("/dev/shm", "pageferry-demo-" + ProcessHandle.current().pid() + "-"
                + Integer.toHexString(base.toAbsolutePath().hashCode()) + "-"
                + base.getFileName());
    }

    /**
     * Starts one, and returns when its monitor listens.
     *
     * @param base path prefix of its files: .qmp, .console, .log and so on; its folder exists
     * @param memoryFile where the RAM is, on tmpfs; made if it is not there, removed by close;
     *     used only for what has a name
     * @param incoming whether it waits for a state instead of booting
     * @throws IOException where QEMU did not start, with its words
     */
    public static DemoQemu start(DemoMachine machine, Path base, Path memoryFile,
            boolean incoming) throws IOException {
        Path root = base.toAbsolutePath();
        boolean success = false;
        try {
            Initramfs.write(beside(root, ".cpio.gz"), machine.tools().busybox());
            Files.deleteIfExists(beside(root, ".console"));
            if (machine.memory().isNamed()) {
                reserve(memoryFile, machine.memoryBytes());
            }
            launch(command(machine, root, memoryFile, incoming), beside(root, ".log"));
            DemoQemu qemu = adopt(machine, root, memoryFile);
            success = true;
            return qemu;
        } finally {
            if (!success) {
                delete(files(root, memoryFile));
            }
        }
    }

    /**
     * Takes over a QEMU that another process started, with the arguments of {@link #start}.
     *
     * @param base as there
     * @param memoryFile as there
     * @throws IOException where it does not run; where it cannot be taken over it is ended
     */
    public static DemoQemu adopt(DemoMachine machine, Path base, Path memoryFile)
            throws IOException {
        Path root = base.toAbsolutePath();
        ProcessMark process = ProcessMark.of(Long.parseLong(
                Files.readString(beside(root, ".pid")).strip()));
        boolean success = false;
        try {
            List<Path> files = files(root, memoryFile);
            Process guard = guard(process, files);
            success = true;
            return new DemoQemu(machine, process, guard, files, root);
        } finally {
            if (!success) {
                process.kill();
            }
        }
    }

    private static List<Path> files(Path root, Path memoryFile) {
        List<Path> files = new ArrayList<>();
        for (String suffix : List.of(".cpio.gz", ".qmp", ".pid", ".log", ".console")) {
            files.add(beside(root, suffix));
        }
        files.add(memoryFile.toAbsolutePath());
        return files;
    }

    private static Path beside(Path base, String suffix) {
        return base.resolveSibling(base.getFileName() + suffix);
    }

    /** The file is the guest's memory: no other user may read it. */
    private static void reserve(Path file, long bytes) throws IOException {
        if (Files.exists(file)) {
            return;
        }
        long free = Files.getFileStore(file.toAbsolutePath().getParent()).getUsableSpace();
        if (free < bytes) {
            throw new IOException(file.getParent() + " has " + (free >> 20) + "MiB left, and this"
                    + " guest needs " + (bytes >> 20) + "MiB: free some, or use less --memory");
        }
        PrivateFiles.create(file);
    }

    private static List<String> command(DemoMachine machine, Path root, Path memoryFile,
            boolean incoming) {
        List<String> command = machine.arguments(memoryFile, beside(root, ".cpio.gz"));
        command.addAll(List.of("-name", root.getFileName().toString(),
                "-chardev", "file,id=console,path="
                        + DemoMachine.escape(beside(root, ".console")),
                "-serial", "chardev:console",
                "-qmp", "unix:" + DemoMachine.escape(beside(root, ".qmp"))
                        + ",server=on,wait=off",
                "-pidfile", beside(root, ".pid").toString(),
                // -D keeps what QEMU logs later: a daemon has no stderr.
                "-D", beside(root, ".log").toString(), "-daemonize"));
        if (incoming) {
            command.addAll(List.of("-S", "-incoming", "defer"));
        }
        return command;
    }

    /** With -daemonize the parent ends when the monitor listens, and prints why if it does not. */
    private static void launch(List<String> command, Path log) throws IOException {
        Process parent = new ProcessBuilder(command)
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true).redirectOutput(log.toFile()).start();
        try {
            if (!parent.waitFor(START_SECONDS, TimeUnit.SECONDS)) {
                parent.destroyForcibly();
                throw new IOException("QEMU did not start within " + START_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            parent.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while QEMU started", e);
        }
        if (parent.exitValue() != 0) {
            throw new IOException("QEMU did not start: "
                    + Files.readString(log, StandardCharsets.ISO_8859_1).strip());
        }
    }

    private static Process guard(ProcessMark process, List<Path> files) throws IOException {
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", GUARD, "guard",
                Long.toString(process.pid()), Long.toString(process.startTicks())));
        files.forEach(file -> command.add(file.toString()));
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    }

    /** What it was made from. */
    public DemoMachine machine() {
        return machine;
    }

    /** The monitor, for one client. */
    public Path qmp() {
        return beside(base, ".qmp");
    }

    /** What the guest prints. */
    public Path console() {
        return beside(base, ".console");
    }

    /** Where the RAM is, for {@link DemoMachine.Memory#FILE}. */
    public Path memoryFile() {
        return memoryFile;
    }

    /** The process; it is not a child of this one. */
    public ProcessMark process() {
        return process;
    }

    /** What QEMU itself logged, empty if nothing. */
    public String log() throws IOException {
        return Files.readString(beside(base, ".log"), StandardCharsets.ISO_8859_1);
    }

    /** A new client of its monitor, closed by the caller. */
    public QemuControl control() throws IOException {
        return QemuControl.connect(qmp());
    }

    /** Leaves the memory file to the caller: close will not remove it. */
    public void keepMemoryFile() {
        files.remove(memoryFile);
    }

    /** Kills QEMU, waits until it is gone and removes its files. May be called twice. */
    @Override
    public void close() throws IOException {
        process.kill();
        long deadline = System.nanoTime() + END_NANOS;
        while (process.isAlive() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(1_000_000);
        }
        guard.destroyForcibly();
        delete(files);
    }

    private static void delete(List<Path> files) throws IOException {
        for (Path file : files) {
            Files.deleteIfExists(file);
        }
    }
}
