package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.process.ProgramRunner;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Namespaces in which a disk is mounted and a system's programs run: mounts, processes, network,
 * IPC and host name. A process there holds them as long as its stdin is open; when it ends, or this
 * process does, the kernel ends every process in them and takes the mounts away. What runs there is
 * root all the same.
 */
final class PrivateSpace implements AutoCloseable {
    private static final Duration END = Duration.ofSeconds(30);

    private final ProgramRunner runner;
    private final Process holder;
    private final ProcessHandle first;

    private PrivateSpace(ProgramRunner runner, Process holder, ProcessHandle first) {
        this.runner = runner;
        this.holder = holder;
        this.first = first;
    }

    /** Makes the namespaces. */
    static PrivateSpace open(ProgramRunner runner) throws IOException {
        for (String program : List.of("unshare", "nsenter", "mount", "losetup", "partx", "blkid")) {
            ProgramRunner.requireProgram(program, "util-linux, mount, fdisk");
        }
        Process holder = new ProcessBuilder("setsid", "unshare", "--mount", "--pid", "--net",
                "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc", "--propagation",
                "private", "sh", "-c", "echo ready; exec cat").redirectErrorStream(true).start();
        boolean ready = false;
        try {
            BufferedReader words = holder.inputReader();
            String said = words.readLine();
            if (!"ready".equals(said)) {
                throw new IOException("no namespaces can be made here (run as root, outside of a"
                        + " container): " + said);
            }
            ProcessHandle first = holder.children().findFirst().orElseThrow(
                    () -> new IOException("the namespaces were gone at once"));
            ready = true;
            return new PrivateSpace(runner, holder, first);
        } finally {
            if (!ready) {
                holder.destroyForcibly();
            }
        }
    }

    /** {@return where a file that is seen in there is seen from here} */
    Path seen(Path path) {
        return Path.of("/proc/" + first.pid() + "/root").resolve(
                path.toString().substring(1));
    }

    /** {@return where a file that is seen from here is seen in there} */
    Path inside(Path seen) {
        return Path.of("/").resolve(Path.of("/proc/" + first.pid() + "/root").relativize(seen));
    }

    /** {@return the process that holds them} */
    long pid() {
        return first.pid();
    }

    /** Runs a program there. */
    ProgramRunner.Ended tryRun(Duration limit, List<String> command) throws IOException {
        return runner.run(entered(command), limit);
    }

    /** Runs a program there that has to succeed. Returns what it said. */
    String run(Duration limit, List<String> command) throws IOException {
        return tryRun(limit, command).require(command);
    }

    /** Starts a program there that goes on until it is ended by {@link #end}. */
    Process start(List<String> command, Path words) throws IOException {
        List<String> all = new ArrayList<>(List.of("setsid", "--wait"));
        all.addAll(entered(command));
        return new ProcessBuilder(all).redirectErrorStream(true)
                .redirectInput(new File("/dev/null")).redirectOutput(words.toFile()).start();
    }

    private List<String> entered(List<String> command) {
        List<String> all = new ArrayList<>(List.of("nsenter", "--target",
                Long.toString(first.pid()), "--mount", "--pid", "--net", "--ipc", "--uts", "--"));
        all.addAll(command);
        return all;
    }

    /** Asks a program that was started there to end, and waits for that. */
    static void end(Process process) throws IOException {
        process.descendants().filter(one -> one.children().findAny().isEmpty())
                .forEach(ProcessHandle::destroy);
        try {
            if (!process.waitFor(END.toSeconds(), TimeUnit.SECONDS)) {
                throw new IOException("process " + process.pid() + " does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** Ends every process in them, and so takes every mount away. Idempotent. */
    @Override
    public void close() {
        first.destroyForcibly();
        try {
            if (!holder.waitFor(END.toSeconds(), TimeUnit.SECONDS)) {
                holder.destroyForcibly();
            }
        } catch (InterruptedException e) {
            holder.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
