package io.pageferry.agent.state.guard;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.qemu.start.LaunchedQemu;
import io.pageferry.agent.host.disk.freeze.FreezeGuard;
import io.pageferry.agent.host.disk.freeze.FrozenMounts;
import io.pageferry.agent.host.linux.CoreDumps;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.process.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The agent's end of its guard: a small process that holds a pipe from the agent. When the pipe
 * ends without a farewell it finishes what the agent began, by the journal. It also does the
 * ptrace injection: a tracer must not die half-way, and must not be its tracee's parent.
 *
 * <p>One thread.
 */
public final class GuardProcess implements GuestSetup.Injector, FreezeGuard, AutoCloseable {
    /** A guard does little: a small heap and no optimising compiler start fastest. */
    private static final List<String> JVM = List.of("-Xmx48m", "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1");

    private static final long END_SECONDS = 5;

    /** A cold JVM on a loaded host takes some seconds to its first answer; the others take none. */
    private static final long ANSWER_NANOS = 60_000_000_000L;

    private static final long POLL_NANOS = 200_000L;

    private final Process process;
    private final long answerNanos;
    private final OutputStream toGuard;
    private final BufferedReader fromGuard;
    private boolean forkGone;

    private GuardProcess(Process process, long answerNanos) {
        this.process = process;
        this.answerNanos = answerNanos;
        this.toGuard = process.getOutputStream();
        this.fromGuard = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /**
     * Starts a guard; it gets ready while the caller goes on.
     *
     * @return the guard, watching nothing yet
     * @throws GuardException when no process can be started
     */
    public static GuardProcess start() throws GuardException {
        return start(ANSWER_NANOS);
    }

    /** One whose answers are awaited for so long. */
    static GuardProcess start(long answerNanos) throws GuardException {
        ProcessBuilder guard = new ProcessBuilder(ChildJvm.command(JVM, List.of("guard")))
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        try {
            return new GuardProcess(guard.start(), answerNanos);
        } catch (IOException e) {
            throw new GuardException("no guard process can be started: " + e.getMessage());
        }
    }

    /**
     * Has it watch over a migration from now on.
     *
     * @param stateDirectory of the journal
     * @param migration      names it
     * @param side           {@code SOURCE} or {@code TARGET}
     * @throws GuardException when the guard is gone
     * @throws IOException    when it cannot watch over it
     */
    public void watch(Path stateDirectory, UUID migration, String side) throws IOException {
        ask("watch\t" + stateDirectory + "\t" + migration + "\t" + side);
    }

    @Override
    public int userfault(long pid) throws IOException {
        // A copy that stayed open there would keep the tracking alive after ours is closed.
        return userfault(pid, "close");
    }

    @Override
    public int userfaultOfForking(long pid) throws IOException {
        return userfault(pid, "hold");
    }

    /**
     * Has it launch a program, and keep it: it ends that where this process is gone.
     *
     * @param folder says what is launched
     * @return the program
     * @throws IOException when it cannot be launched
     */
    LaunchedQemu launch(Path folder) throws IOException {
        String[] answer = ask("launch\t" + folder + "\t" + CoreDumps.usual()).split("\t");
        return new LaunchedQemu(folder, Long.parseLong(answer[0]), Long.parseLong(answer[1]));
    }

    /** Has it keep what another guard launched. */
    void keep(LaunchedQemu launched) throws IOException {
        ask("keep\t" + launched.folder() + "\t" + launched.pid() + "\t"
                + launched.startTicks());
    }

    /** Has it watch no migration any more. Returns whether it is there. */
    boolean rest() {
        try {
            ask("rest");
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private int userfault(long pid, String then) throws IOException {
        int fd = Integer.parseInt(ask("inject\t" + pid));
        int ours = Processes.takeDescriptor(process.pid(), fd);
        ask(then + "\t" + fd);
        return ours;
    }

    @Override
    public void holdOpen(Path pipe) throws IOException {
        ask("pipe\t" + pipe);
    }

    @Override
    public void holdFrozen(FrozenMounts frozen) throws IOException {
        ask("frozen\t" + frozen.text());
    }

    @Override
    public void keepFrozen() throws IOException {
        ask("kept");
    }

    @Override
    public void releaseFrozen() throws IOException {
        ask("thawed");
    }

    @Override
    public boolean letForkGo() throws IOException {
        while (fromGuard.ready()) {
            isFork(fromGuard.readLine());
        }
        return forkGone;
    }

    /** It is the one line that the guard sends without a question. */
    private boolean isFork(String line) {
        boolean fork = ForkWatch.GONE.equals(line);
        forkGone |= fork;
        return fork;
    }

    long pid() {
        return process.pid();
    }

    /** {@return whether it is there} */
    public boolean isAlive() {
        return process.isAlive();
    }

    /** Sends it away: all is done, or nothing was begun. Idempotent. */
    @Override
    public void close() {
        try (toGuard; fromGuard) {
            if (process.isAlive()) {
                send("farewell");
            }
        } catch (IOException e) {
            // A guard that is gone needs no farewell.
        }
        if (!isOver()) {
            process.destroyForcibly();
        }
    }

    /**
     * Leaves what it watches to it, as if the agent had died: for an agent that broke. The journal
     * and the guest's lock, which it needs, must be closed before. Returns when it is done, or
     * after some seconds: it goes on by itself then.
     */
    public void abandon() {
        leave();
        isOver();
    }

    /** Has it say nothing from now on. */
    void quiet() throws IOException {
        ask("quiet");
    }

    /** Leaves what it watches to it and does not wait for it; see {@link #abandon}. */
    void leave() {
        try {
            toGuard.close();
        } catch (IOException e) {
            return; // it sees the end of the pipe all the same
        }
    }

    private boolean isOver() {
        try {
            return process.waitFor(END_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private String ask(String line) throws IOException {
        String answer = answer(line);
        if (answer == null) {
            throw new GuardException("the guard process ended");
        }
        if (!answer.startsWith("ok")) {
            throw new IOException(answer.replaceFirst("^error\t", ""));
        }
        return answer.substring(Math.min(answer.length(), 3));
    }

    /** Null when it is gone; it may end while a line is sent, or before it answers. */
    private String answer(String line) throws IOException {
        try {
            send(line);
        } catch (IOException e) {
            return null;
        }
        String answer = null;
        do {
            answer = awaitLine() ? fromGuard.readLine() : null;
        } while (isFork(answer));
        return answer;
    }

    /**
     * Waits for an answer; a line comes as a whole. A guard that was stopped, or hangs in a process
     * that it looks at, must not hold the agent up for ever.
     */
    private boolean awaitLine() throws IOException {
        long start = System.nanoTime();
        while (!fromGuard.ready()) {
            if (!process.isAlive()) {
                return fromGuard.ready();
            }
            if (System.nanoTime() - start >= answerNanos) {
                throw new GuardException("the guard process (pid " + process.pid()
                        + ") gives no answer");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }

    private void send(String line) throws IOException {
        toGuard.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        toGuard.flush();
    }
}
