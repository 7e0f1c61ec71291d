package io.pageferry.agent.state.guard;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.qemu.start.LaunchedQemu;
import io.pageferry.agent.host.disk.freeze.FreezeGuard;
import io.pageferry.agent.host.disk.freeze.FrozenMounts;
import io.pageferry.agent.host.linux.CoreDumps;
import io.pageferry.agent.host.linux.Processes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/**
 * The agent's end of its guard: a small process that holds a pipe from the agent, or one of the
 * guards of {@code guard-service}, which holds a connection from it. When that ends without a
 * farewell it finishes what the agent began, by the journal. It also does the ptrace injection: a
 * tracer must not die half-way.
 *
 * <p>One thread.
 */
public final class GuardProcess implements GuestSetup.Injector, FreezeGuard, AutoCloseable {
    private static final long END_SECONDS = 5;

    /** A cold JVM on a loaded host takes some seconds to its first answer; the others take none. */
    private static final long ANSWER_NANOS = 60_000_000_000L;

    private static final long POLL_NANOS = 200_000L;

    private final GuardChannel channel;
    private final long answerNanos;
    private boolean forkGone;

    private GuardProcess(GuardChannel channel, long answerNanos) {
        this.channel = channel;
        this.answerNanos = answerNanos;
    }

    /**
     * Has one of {@code guard-service}, where that is there, or else starts one.
     *
     * @return the guard, watching nothing yet
     * @throws GuardException when no process can be started
     */
    static GuardProcess open() throws GuardException {
        Optional<ServiceChannel> service = ServiceChannel.find();
        return service.isPresent() ? new GuardProcess(service.get(), ANSWER_NANOS) : start();
    }

    /**
     * Has one of a service.
     *
     * @param socket of the service
     * @return the guard, watching nothing yet; empty where no service of this user or root answers
     */
    public static Optional<GuardProcess> connect(Path socket) {
        return ServiceChannel.connect(socket)
                .map(channel -> new GuardProcess(channel, ANSWER_NANOS));
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
        return new GuardProcess(ChildChannel.start(), answerNanos);
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
        int ours = Processes.takeDescriptor(channel.pid(), fd);
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
        for (String line = channel.poll(); line != null; line = channel.poll()) {
            isFork(line);
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
        return channel.pid();
    }

    /** {@return whether it is there} */
    public boolean isAlive() {
        return channel.isAlive();
    }

    /** Sends it away: all is done, or nothing was begun. Idempotent. */
    @Override
    public void close() {
        try {
            if (channel.isAlive()) {
                channel.send("farewell");
            }
        } catch (IOException e) {
            // A guard that is gone needs no farewell.
        }
        channel.end();
        if (!channel.awaitEnd(END_SECONDS)) {
            channel.kill();
        }
        channel.close();
    }

    /**
     * Leaves what it watches to it, as if the agent had died: for an agent that broke. The journal
     * and the guest's lock, which it needs, must be closed before. Returns when it is done, or
     * after some seconds: it goes on by itself then.
     */
    public void abandon() {
        channel.end();
        channel.awaitEnd(END_SECONDS);
        channel.close();
    }

    /** Has it say nothing from now on. */
    void quiet() throws IOException {
        ask("quiet");
    }

    /** Leaves what it watches to it and does not wait for it; see {@link #abandon}. */
    void leave() {
        channel.end();
        channel.close();
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
            channel.send(line);
        } catch (IOException e) {
            return null;
        }
        String answer = null;
        do {
            answer = awaitLine();
        } while (isFork(answer));
        return answer;
    }

    /**
     * Waits for an answer; null where the guard is gone. A guard that was stopped, or hangs in a
     * process that it looks at, must not hold the agent up for ever.
     */
    private String awaitLine() throws IOException {
        long start = System.nanoTime();
        String line = channel.poll();
        while (line == null) {
            if (!channel.isAlive()) {
                return channel.poll();
            }
            if (System.nanoTime() - start >= answerNanos) {
                throw new GuardException("the guard process (pid " + channel.pid()
                        + ") gives no answer");
            }
            LockSupport.parkNanos(POLL_NANOS);
            line = channel.poll();
        }
        return line;
    }
}
