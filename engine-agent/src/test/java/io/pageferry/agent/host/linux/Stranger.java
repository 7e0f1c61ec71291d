package io.pageferry.agent.host.linux;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A process that is no child of this JVM and knows nothing of it. Killed by {@link #close}. */
public final class Stranger implements AutoCloseable {
    private static final long PAUSE_NANOS = 100_000;

    private final long pid;
    private final long startTicks;

    private Stranger(long pid) {
        this.pid = pid;
        this.startTicks = Processes.startTicks(pid).orElseThrow();
    }

    /** Starts a program through a shell that ends at once, so that its parent is not us. */
    public static Stranger start(String... command) throws IOException {
        List<String> line = new ArrayList<>(List.of("sh", "-c",
                "setsid \"$@\" </dev/null >/dev/null 2>&1 & echo $!", "sh"));
        line.addAll(List.of(command));
        Process shell = new ProcessBuilder(line).start();
        Stranger stranger = new Stranger(Long.parseLong(shell.inputReader().readLine()));
        try {
            String expected = String.join("\0", command) + "\0";
            await("program to begin", () -> stranger.commandLine().equals(expected));
            await("shell to end", () -> !shell.isAlive());
        } catch (AssertionError e) {
            stranger.close();
            throw e;
        }
        return stranger;
    }

    /** Starts {@link StrangerProgram} in a small JVM. */
    public static Stranger startProgram(String... arguments) throws IOException {
        return startMain(StrangerProgram.class,
                List.of("-Xshare:auto", "-Djdk.lang.Process.launchMechanism=FORK"), arguments);
    }

    /** Starts a program of these tests in a small JVM, wherever they were compiled to. */
    public static Stranger startMain(Class<?> program, List<String> options, String... arguments)
            throws IOException {
        URL classes = program.getProtectionDomain().getCodeSource().getLocation();
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx16m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        line.addAll(options);
        // A blank in the folder's name is %20 in the URL.
        line.addAll(List.of("-cp", Path.of(URI.create(classes.toString())).toString(),
                program.getName()));
        line.addAll(List.of(arguments));
        return start(line.toArray(String[]::new));
    }

    /** {@return its process id} */
    public long pid() {
        return pid;
    }

    /** Sends it a signal. */
    public void signal(Processes.Signal signal) throws LinuxException {
        Processes.signal(pid, startTicks, signal);
    }

    private String commandLine() {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cmdline"),
                    StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    /** Waits for something of it. */
    public static void await(String what, BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > Requirements.HANG.toNanos()) {
                throw new AssertionError("waited for " + what);
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    @Override
    public void close() {
        try {
            signal(Processes.Signal.KILL);
        } catch (LinuxException e) {
            throw new AssertionError(e);
        }
        await("process " + pid + " to end", () -> !Processes.isAlive(pid));
    }
}
