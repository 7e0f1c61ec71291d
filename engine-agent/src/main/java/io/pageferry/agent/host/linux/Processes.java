package io.pageferry.agent.host.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.pageferry.agent.host.linux.Native.Call;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Other processes: are they there, the same as before, and how to signal them or take one of their
 * descriptors. Any thread.
 */
public final class Processes {
    /** A signal, numbered as on every Linux that this runs on. */
    public enum Signal {
        /** Stops the process until {@link #CONT}; cannot be caught. */
        STOP(19),
        /** Goes on after {@link #STOP}. */
        CONT(18),
        /** Asks to end, as Ctrl-C does. */
        INT(2),
        /** Asks to end. */
        TERM(15),
        /** Ends; cannot be caught. */
        KILL(9);

        private final int number;

        Signal(int number) {
            this.number = number;
        }
    }

    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
    private static final char NONE = 'X';

    /** USER_HZ is 100 on every machine of today: {@code man 5 proc_pid_stat}. */
    private static final long TICK_NANOS = 10_000_000;

    private Processes() {
    }

    /**
     * Returns whether a process can still do something. One that ended and was not reaped yet is
     * dead, although {@code kill(pid, 0)} finds it. One whose main thread alone has ended lives.
     *
     * @param pid a process id
     * @return false when there is none, or only a zombie of it
     */
    public static boolean isAlive(long pid) {
        return switch (state(pid)) {
            case NONE -> false;
            case 'Z' -> !everyThread(pid, "ZX");
            default -> true;
        };
    }

    /**
     * Returns whether every thread of a process stands still after a stop signal.
     *
     * @param pid a process id
     * @return true when none can run before it is continued; also when there is no such process
     */
    public static boolean isStopped(long pid) {
        return everyThread(pid, "TtZX");
    }

    private static boolean everyThread(long pid, String states) {
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            return threads.map(task -> stateIn(task.resolve("stat")))
                    .allMatch(state -> states.indexOf(state) >= 0);
        } catch (IOException | UncheckedIOException e) {
            return true; // the process is gone, maybe while it was listed
        }
    }

    /**
     * Returns when a process started: with its pid this names it for ever, also after the pid was
     * given to another.
     *
     * @param pid a process id
     * @return clock ticks since boot, or empty when there is no such process
     */
    public static OptionalLong startTicks(long pid) {
        return stat(Path.of("/proc", Long.toString(pid), "stat"))
                .map(stat -> OptionalLong.of(stat.startTicks())).orElse(OptionalLong.empty());
    }

    /**
     * Names this boot of this host.
     *
     * @return its id, another one after a reboot; empty where the kernel does not show it
     */
    public static String bootId() {
        try {
            return Files.readString(BOOT).strip();
        } catch (IOException e) {
            return "";
        }
    }

    /**
     * Returns the parent of a process.
     *
     * @param pid a process id
     * @return its parent's, 0 for the first process; empty when there is no such process
     */
    public static OptionalLong parent(long pid) {
        return stat(Path.of("/proc", Long.toString(pid), "stat"))
                .map(stat -> OptionalLong.of(stat.parent())).orElse(OptionalLong.empty());
    }

    /** The letter in {@code /proc/PID/stat}, or X when there is no such process. */
    public static char state(long pid) {
        return stateIn(Path.of("/proc", Long.toString(pid), "stat"));
    }

    /** The letter in the stat file of a process or thread, or X. */
    public static char stateIn(Path stat) {
        return stat(stat).map(Stat::state).orElse(NONE);
    }

    /**
     * What a process took of its host.
     *
     * @param faults pages that it was given without reading them from anywhere
     * @param nanos  processor time of all its threads, to 10 ms
     */
    public record Usage(long faults, long nanos) { }

    /**
     * Returns what a process took so far.
     *
     * @param pid a process id
     * @return since its start; empty when there is no such process
     */
    public static Optional<Usage> usage(long pid) {
        return stat(Path.of("/proc", Long.toString(pid), "stat"))
                .map(stat -> new Usage(stat.faults(), stat.cpuTicks() * TICK_NANOS));
    }

    /** What is read of a stat file. */
    record Stat(char state, long parent, long startTicks, long faults, long cpuTicks) {
        private static final String NAME_END = ") ";
        private static final int PARENT = 1;
        private static final int MINOR_FAULTS = 7;
        private static final int USER_TIME = 11;
        private static final int START_TIME = 19;

        /** The name is in brackets, and may itself hold brackets and blanks. */
        static Stat of(String line) throws IOException {
            return ProcText.parse("stat", line, text -> {
                int nameEnd = text.lastIndexOf(NAME_END);
                String[] field = text.substring(nameEnd + NAME_END.length()).strip().split(" ");
                if (nameEnd < 0) {
                    throw new IllegalArgumentException("no name");
                }
                return new Stat(field[0].charAt(0), Long.parseLong(field[PARENT]),
                        Long.parseLong(field[START_TIME]),
                        Long.parseLong(field[MINOR_FAULTS]),
                        Long.parseLong(field[USER_TIME]) + Long.parseLong(field[USER_TIME + 1]));
            });
        }
    }

    private static Optional<Stat> stat(Path file) {
        String line;
        try {
            line = Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return Optional.empty(); // ended: /proc answers ENOENT or ESRCH
        }
        try {
            return Optional.of(Stat.of(line));
        } catch (IOException e) {
            // Not to be taken for a process that ended: somebody might run its guest elsewhere.
            throw new IllegalStateException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads a line of {@code /proc/PID/status}.
     *
     * @param pid  a process id
     * @param name for example {@code PPid}
     * @return what follows the name, without blanks around; "" when there is no such line
     * @throws IOException when there is no such process
     */
    public static String status(long pid, String name) throws IOException {
        Path file = Path.of("/proc", Long.toString(pid), "status");
        return lineOf(Files.readString(file, StandardCharsets.ISO_8859_1), name);
    }

    static String lineOf(String status, String name) {
        return status.lines().filter(line -> line.startsWith(name + ":")).findFirst()
                .map(line -> line.substring(name.length() + 1).trim()).orElse("");
    }

    /**
     * Reads whose files a process opens, out of its {@code status}.
     *
     * @param status content of that file
     * @param set    1 the real user, 2 the effective, 4 that of files
     * @return the user's number
     * @throws IOException when the file has no such line
     */
    public static long user(String status, int set) throws IOException {
        return ProcText.parse("the line Uid of status", lineOf(status, "Uid"), line ->
                Long.parseLong(line.split("\\s+")[set - 1]));
    }

    /**
     * Sends a signal to exactly the process that was meant, never to a later one of the same pid.
     *
     * @param pid        a process id
     * @param startTicks what {@link #startTicks} returned for it
     * @param signal     which
     * @return false when that process is gone
     * @throws LinuxException when the kernel refuses, as for a process of another user
     */
    public static boolean signal(long pid, long startTicks, Signal signal) throws LinuxException {
        long pidfd = Native.call(Call.PIDFD_OPEN, pid, 0);
        if (pidfd == -Native.ESRCH) {
            return false;
        }
        Native.check(pidfd, "pidfd_open", "process " + pid);
        try {
            // Looked up only now: the descriptor holds whatever process has the pid.
            if (startTicks(pid).orElse(-1) != startTicks) {
                return false;
            }
            long sent = Native.call(Call.PIDFD_SEND_SIGNAL, pidfd, signal.number,
                    MemorySegment.NULL.address(), 0);
            if (sent == -Native.ESRCH) {
                return false;
            }
            Native.check(sent, "pidfd_send_signal", "process " + pid);
            return true;
        } finally {
            Native.close((int) pidfd);
        }
    }

    /**
     * Makes a copy of another process's descriptor in this process.
     *
     * @param pid a process that may be traced
     * @param fd  the number of the descriptor there
     * @return the number of the copy here, close-on-exec; the caller owns it
     * @throws LinuxException ESRCH when there is no such process, EBADF when it has no such
     *                        descriptor, EPERM when it may not be traced
     */
    public static int takeDescriptor(long pid, int fd) throws LinuxException {
        String what = "descriptor " + fd + " of process " + pid;
        long pidfd = Native.check(Native.call(Call.PIDFD_OPEN, pid, 0), "pidfd_open", what);
        try {
            return (int) Native.check(Native.call(Call.PIDFD_GETFD, pidfd, fd, 0),
                    "pidfd_getfd", what);
        } finally {
            Native.close((int) pidfd);
        }
    }

    /**
     * Closes a descriptor that {@link #takeDescriptor} or {@code RemoteUserfault} gave and that
     * nothing else has taken over.
     *
     * @param fd a descriptor of this process
     */
    public static void closeDescriptor(int fd) {
        Native.close(fd);
    }

    /**
     * Moves this process into a session and process group of its own, so that a signal to the old
     * group or terminal spares it.
     *
     * @throws LinuxException EPERM when it already leads a process group
     */
    public static void setsid() throws LinuxException {
        Native.check(Native.call(Call.SETSID), "setsid", "own process");
    }

    /**
     * Stops one thread of another process as a debugger does; the others of it run on. Everything
     * about it is done by the calling platform thread, and should that end, the kernel lets the
     * thread go. It must not be a child of this JVM.
     *
     * @param thread id of the thread
     * @return the thread, about to stop; empty where it ended
     * @throws LinuxException EPERM when it may not be traced, or another process traces it
     */
    public static Optional<HeldThread> holdThread(long thread) throws LinuxException {
        long seized = Native.call(Call.PTRACE, HeldThread.SEIZE, thread, 0, 0);
        if (seized == -Native.ESRCH) {
            return Optional.empty();
        }
        Native.check(seized, "PTRACE_SEIZE", "thread " + thread);
        Native.call(Call.PTRACE, HeldThread.INTERRUPT, thread, 0, 0);
        return Optional.of(new HeldThread(thread));
    }

    /** A thread that {@link #holdThread} stopped. Confined to the thread that called it. */
    public static final class HeldThread implements AutoCloseable {
        // linux/ptrace.h, linux/wait.h
        private static final int SEIZE = 0x4206;
        private static final int INTERRUPT = 0x4207;
        private static final int DETACH = 17;
        private static final int EVENT_STOP = 128;
        private static final int WNOHANG = 1;
        private static final int WALL = 0x40000000;
        private static final long SPIN_NANOS = 20_000;
        /** One that sleeps uninterruptibly for longer does not run anyway. */
        private static final long STOP_NANOS = 1_000_000_000;

        private final long thread;
        private int signal;
        private boolean stopped;
        private boolean ended;

        private HeldThread(long thread) {
            this.thread = thread;
        }

        /** {@return its id} */
        public long thread() {
            return thread;
        }

        /** Waits until it stands still or has ended, for a second at most. */
        public void awaitStop() {
            long begin = System.nanoTime();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment status = arena.allocate(8, 8);
                while (!stopped && !ended && System.nanoTime() - begin < STOP_NANOS) {
                    long got = Native.call(Call.WAIT4, thread, status.address(),
                            WNOHANG | WALL, 0);
                    if (got == thread) {
                        note(status.get(JAVA_INT, 0));
                    } else if (got == 0 || got == -Native.EINTR) {
                        LockSupport.parkNanos(SPIN_NANOS);
                    } else {
                        ended = true;
                    }
                }
            }
        }

        private void note(int state) {
            stopped = (state & 0xff) == 0x7f;
            ended = !stopped;
            // A signal that was on its way before us is delivered when the thread goes on.
            signal = stopped && state >> 16 != EVENT_STOP ? state >> 8 & 0xff : 0;
        }

        /** Lets it go on. Idempotent. */
        @Override
        public void close() {
            awaitStop();
            if (stopped) {
                long left = Native.call(Call.PTRACE, DETACH, thread, 0, signal);
                stopped = false;
                if (left < 0) {
                    awaitStop(); // killed while it stood still: it waits for us to take notice
                }
                ended = true;
            }
        }
    }
}
