package io.pageferry.agent.state.guard;

import io.pageferry.agent.host.process.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A guard that is a process of this agent's own, over two pipes. */
final class ChildChannel implements GuardChannel {
    /** A guard does little: a small heap and no optimising compiler start fastest. */
    private static final List<String> JVM = List.of("-Xmx48m", "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1");

    private final Process process;
    private final OutputStream toGuard;
    private final BufferedReader fromGuard;

    private ChildChannel(Process process) {
        this.process = process;
        this.toGuard = process.getOutputStream();
        this.fromGuard = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Starts one; it gets ready while the caller goes on. */
    static ChildChannel start() throws GuardException {
        ProcessBuilder guard = new ProcessBuilder(ChildJvm.command(JVM, List.of("guard")))
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        try {
            return new ChildChannel(guard.start());
        } catch (IOException e) {
            throw new GuardException("no guard process can be started: " + e.getMessage());
        }
    }

    @Override
    public void send(String line) throws IOException {
        toGuard.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        toGuard.flush();
    }

    /** A line comes as a whole. */
    @Override
    public String poll() throws IOException {
        return fromGuard.ready() ? fromGuard.readLine() : null;
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void end() {
        try {
            toGuard.close();
        } catch (IOException e) {
            return; // it sees the end of the pipe all the same
        }
    }

    @Override
    public boolean awaitEnd(long seconds) {
        try {
            return process.waitFor(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void kill() {
        process.destroyForcibly();
    }

    @Override
    public void close() {
        try (toGuard; fromGuard) {
            return;
        } catch (IOException e) {
            return; // what it had not read was for one that is gone
        }
    }
}
