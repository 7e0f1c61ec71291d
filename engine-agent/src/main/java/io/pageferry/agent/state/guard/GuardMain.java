package io.pageferry.agent.state.guard;

import io.pageferry.agent.guest.qemu.start.LaunchedQemu;
import io.pageferry.agent.host.disk.freeze.FrozenMounts;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.process.Fifo;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.agent.host.process.ProcessInstance;
import io.pageferry.agent.state.journal.GuestLock;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Recovery;
import io.pageferry.core.handover.Recovery.Doubt;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.agrona.CloseHelper;
import org.agrona.concurrent.SystemNanoClock;

/**
 * The guard itself: answers its agent line by line, and when the agent is gone without a farewell,
 * finishes the migration that it watches. One thread; a process may have any number of them.
 */
public final class GuardMain {
    /** A killed agent's locks are free when the kernel has torn it down. */
    private static final long LOCK_NANOS = 10_000_000_000L;

    private final PrintStream answers;
    private final Runnable silence;
    private Consumer<String> words;
    // These three are read by other threads too.
    private volatile Watched watched;
    private volatile LaunchedQemu launched;
    private volatile String finishing = "";

    private final List<ForkWatch> forks = new ArrayList<>();
    /** Descriptors that were made here and are to be closed, or watched, by this guard. */
    private final Set<Integer> copies = new HashSet<>();
    /** Held open until its agent is gone. */
    private Fifo pipe;
    private FreezeWatch frozen;

    private GuardMain(PrintStream answers, Consumer<String> words, Runnable silence) {
        this.answers = answers;
        this.words = words;
        this.silence = silence;
    }

    /** What is watched. */
    private record Watched(Path directory, UUID migration, Side side) { }

    /**
     * Serves one agent, as all that this process does.
     *
     * @param questions the pipe from the agent
     * @param answers   the pipe to it
     * @param words     for people
     * @return exit code: 0, or 6 where the guest stays paused until it is settled
     * @throws IOException when the journal cannot be read
     */
    public static int run(InputStream questions, PrintStream answers, PrintStream words)
            throws IOException {
        // In the agent's group a signal to the group would end both.
        Processes.setsid();
        return new GuardMain(answers, line -> words.println("pageferry: " + line),
                GuardMain::closeStderr).serve(questions);
    }

    /**
     * Makes the guard of one agent of many.
     *
     * @param answers to the agent
     * @param words   for people; gets the migration that is watched, or null, and a line
     * @return the guard, to be {@linkplain #serveOne served}
     */
    static GuardMain ofMany(PrintStream answers, BiConsumer<UUID, String> words) {
        GuardMain guard = new GuardMain(answers, line -> { }, () -> { });
        guard.words = line -> words.accept(guard.watched == null ? null
                : guard.watched.migration(), line);
        return guard;
    }

    /**
     * Serves one agent of many.
     *
     * @param questions from the agent
     * @return what it launched that is there still, to be reaped; empty for nothing
     * @throws IOException when the journal cannot be read
     */
    Optional<LaunchedQemu> serveOne(InputStream questions) throws IOException {
        serve(questions);
        return Optional.ofNullable(launched);
    }

    /** {@return what it finishes, as its agent is gone; empty for nothing; any thread} */
    Optional<String> finishing() {
        return Optional.of(finishing).filter(what -> !what.isEmpty());
    }

    /** {@return whether nothing is lost where it ends now; any thread} */
    boolean isIdle() {
        return watched == null && launched == null;
    }

    private int serve(InputStream questions) throws IOException {
        try {
            BufferedReader lines = new BufferedReader(
                    new InputStreamReader(questions, StandardCharsets.UTF_8));
            for (String line = next(lines); line != null; line = next(lines)) {
                if (line.equals("farewell")) {
                    return 0;
                }
                answer(line.split("\t"));
            }
            // First of all: everybody who writes waits for it.
            if (frozen != null) {
                frozen.thaw("the agent left frozen");
            }
            // Next: the guest would be tracked on, and a fork of it wait for nobody.
            CloseHelper.closeAll(forks);
            finishing = watched != null ? "migration " + watched.migration()
                    : launched != null ? "what was launched in " + launched.folder() : "";
            try {
                return watched == null ? 0 : recover();
            } finally {
                endWithoutGuest();
            }
        } finally {
            CloseHelper.closeAll(forks);
            CloseHelper.closeAll(pipe, frozen);
            copies.forEach(Processes::closeDescriptor);
            finishing = "";
        }
    }

    /** An agent that was killed with answers unread ends a connection by an error. */
    private static String next(BufferedReader lines) {
        try {
            return lines.readLine();
        } catch (IOException e) {
            return null;
        }
    }

    /** By now the migration is decided that may have brought one. */
    private void endWithoutGuest() throws IOException {
        if (launched == null) {
            return;
        }
        launched.endWithoutGuest(watched == null, words);
        if (!launched.isAlive()) {
            // Its agent left the lock's files, and nobody else ever takes this lock.
            GuestLock.tryLock(List.of(new ProcessInstance(launched.pid(), launched.startTicks())
                    .identity())).ifPresent(GuestLock::close);
        }
    }

    private void answer(String[] question) {
        try {
            answers.println(switch (question[0]) {
                case "watch" -> {
                    watched = new Watched(Path.of(question[1]), UUID.fromString(question[2]),
                            Side.valueOf(question[3]));
                    yield "ok";
                }
                case "rest" -> {
                    watched = null;
                    yield "ok";
                }
                case "launch" -> {
                    reapLaunched();
                    launched = LaunchedQemu.launch(Path.of(question[1]), question[2]);
                    yield "ok\t" + launched.pid() + "\t" + launched.startTicks();
                }
                case "keep" -> {
                    keepLaunched(question);
                    yield "ok";
                }
                case "inject" -> "ok\t" + inject(Long.parseLong(question[1]));
                case "hold" -> {
                    forks.add(new ForkWatch(taken(question[1]), answers));
                    yield "ok";
                }
                case "pipe" -> {
                    CloseHelper.close(pipe);
                    pipe = Fifo.open(Path.of(question[1]));
                    yield "ok";
                }
                case "quiet" -> {
                    words = line -> { };
                    silence.run();
                    yield "ok";
                }
                case "frozen" -> {
                    watchFrozen(question[1]);
                    yield "ok";
                }
                case "kept" -> {
                    keepFrozen();
                    yield "ok";
                }
                case "thawed" -> {
                    endFreezeWatch();
                    yield "ok";
                }
                case "close" -> {
                    Processes.closeDescriptor(taken(question[1]));
                    yield "ok";
                }
                default -> "error\tunknown question " + question[0];
            });
        } catch (IOException | RuntimeException e) {
            answers.println("error\t" + e.getMessage());
        }
        answers.flush();
    }

    private int inject(long pid) throws IOException {
        int fd = RemoteUserfault.open(pid).release();
        copies.add(fd);
        return fd;
    }

    private int taken(String descriptor) throws IOException {
        int fd = Integer.parseInt(descriptor);
        if (!copies.remove(fd)) {
            throw new IOException("descriptor " + fd + " is not of this guard");
        }
        return fd;
    }

    private void reapLaunched() {
        if (launched != null) {
            launched.reap();
        }
    }

    /** Whoever reads what the agent says waits for all who could say more. */
    private static void closeStderr() {
        try {
            // The JVM opens /dev/null in its place.
            new FileOutputStream(FileDescriptor.err).close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void keepLaunched(String[] question) {
        launched = new LaunchedQemu(Path.of(question[1]), Long.parseLong(question[2]),
                Long.parseLong(question[3]));
    }

    private void watchFrozen(String mounts) throws IOException {
        endFreezeWatch();
        frozen = new FreezeWatch(FrozenMounts.parse(mounts), words);
    }

    /** Whose they are is the journal's from now on, also where the agent dies: see recover. */
    private void keepFrozen() throws IOException {
        if (frozen == null) {
            throw new IOException("nothing is frozen");
        }
        frozen.keep();
        frozen = null;
    }

    private void endFreezeWatch() {
        CloseHelper.close(frozen);
        frozen = null;
    }

    /** The journal's lock and the guest's are free when the kernel has torn the agent down. */
    private int recover() throws IOException {
        StateDirectory directory = StateDirectory.open(watched.directory());
        try (Recovery recovery = new Recovery(
                new JournaledMigration(directory, watched.migration(), watched.side(), null,
                        any -> false),
                new Recovery.Options(Doubt.STAY_PAUSED, LOCK_NANOS,
                        Recovery.Options.WINDOW_NANOS, true),
                SystemNanoClock.INSTANCE, words)) {
            JournaledMigration.run(recovery);
            if (recovery.result().isPresent()
                    && recovery.ownership().state() == JournalState.GRANTED) {
                words.accept("the guest stays paused, because the target may run it; "
                        + "settle it: pageferry settle " + watched.migration());
            }
            return recovery.result().map(Result::exitCode).orElse(0);
        }
    }
}
