package io.pageferry.agent.state.guard;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.process.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A {@code guard-service} of a test, which agents of this JVM find. */
public final class ServiceProcess implements AutoCloseable {
    private final Process process;
    private final Path socket;

    private ServiceProcess(Process process, Path socket) {
        this.process = process;
        this.socket = socket;
    }

    /** Starts one, and returns when it listens. */
    public static ServiceProcess start(Path folder) throws IOException {
        return start(folder, Map.of());
    }

    /** The same, with more in its environment. */
    public static ServiceProcess start(Path folder, Map<String, String> more) throws IOException {
        Path socket = folder.resolve("guard.sock");
        ProcessBuilder command = new ProcessBuilder(ChildJvm.command(List.of("-Xmx48m"),
                List.of("guard-service", "--guard", "unix:" + socket, "--json")))
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        command.environment().putAll(more);
        ServiceProcess service = new ServiceProcess(command.start(), socket);
        String line = service.process.inputReader().readLine();
        if (line == null || !line.contains("\"ready\"")) {
            service.close();
            throw new AssertionError("no service: " + line);
        }
        System.setProperty(GuardService.PROPERTY, "unix:" + socket);
        return service;
    }

    public Path socket() {
        return socket;
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Waits for its end; returns the exit code. */
    int exit() {
        return process.onExit().join().exitValue();
    }

    void signal(Signal signal) throws IOException {
        Processes.signal(pid(), Processes.startTicks(pid()).orElseThrow(), signal);
    }

    @Override
    public void close() {
        System.clearProperty(GuardService.PROPERTY);
        process.destroyForcibly().onExit().join();
    }
}
