package io.pageferry.agent.host.linux.userfault;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import io.pageferry.agent.host.linux.Processes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;

/**
 * A fresh userfaultfd that belongs to another, unmodified process. One thread of that process is
 * stopped (usually for less than a millisecond) and made to do two system calls, userfaultfd and
 * close; between the two the descriptor is copied here. Nothing else of the process is touched,
 * and nothing stays behind in it.
 *
 * <p>The one danger is that this JVM is killed in that moment: the target would crash. So do it in
 * a small process that is not killed, and hand the descriptor on by
 * {@link Processes#takeDescriptor}.
 */
public final class RemoteUserfault implements AutoCloseable {
    /** It was not tried, or nothing came of it. The message names what, why and what to do. */
    public static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;

        Refused(long pid, String why, Throwable cause) {
            super("cannot track the writes of process " + pid + ": " + why, cause);
        }
    }

    private static final int ELF_HEADER = 20;
    private static final int ELF_CLASS = 4;
    private static final int ELF_CLASS_64 = 2;
    private static final int ELF_MACHINE = 18;
    private static final int ELF_MACHINE_X86_64 = 62;
    private static final int ATTEMPTS = 10;

    private int fd;
    private final long stoppedNanos;

    private RemoteUserfault(int fd, long stoppedNanos) {
        this.fd = fd;
        this.stoppedNanos = stoppedNanos;
    }

    /**
     * Gets one. May be called from any thread; works on a platform thread of its own and returns
     * when the target runs again, also when the caller is interrupted.
     *
     * @param pid a 64-bit process that this one may trace, and not a child of this one
     * @return owns the descriptor; not yet agreed on features, so made for {@link Userfault#adopt}
     * @throws IOException {@link Refused} when it cannot be done
     */
    public static RemoteUserfault open(long pid) throws IOException {
        requirePossible(pid);
        FutureTask<RemoteUserfault> task = new FutureTask<>(() -> inject(pid));
        Thread.ofPlatform().name("ptrace-" + pid).start(task);
        boolean interrupted = false;
        try {
            for (;;) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true; // a target half-way must not be left
                } catch (ExecutionException e) {
                    throw refusal(pid, e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static IOException refusal(long pid, Throwable cause) {
        if (cause instanceof Refused refused) {
            return refused;
        }
        return new Refused(pid, cause.getMessage() + "; the process was let go as it was", cause);
    }

    /**
     * Looks at everything that can be known without touching the process.
     *
     * @param pid a process id
     * @throws Refused with the reason
     */
    public static void requirePossible(long pid) throws Refused {
        if (!Native.X86) {
            throw new Refused(pid, "this works on x86-64 only, not on "
                    + System.getProperty("os.arch") + "; use another tracker", null);
        }
        if (!Processes.isAlive(pid)) {
            throw new Refused(pid, "there is no such process, or it has ended", null);
        }
        try {
            requireStranger(pid);
            requireX8664(pid);
        } catch (Refused e) {
            throw e;
        } catch (IOException e) {
            throw new Refused(pid, "it cannot be looked at (" + e + "); run as its user with "
                    + "CAP_SYS_PTRACE, or as root", e);
        }
    }

    private static void requireStranger(long pid) throws IOException {
        long self = ProcessHandle.current().pid();
        if (pid == self) {
            throw new Refused(pid, "it is this process; open a userfaultfd here instead", null);
        }
        if (Long.toString(self).equals(Processes.status(pid, "PPid"))) {
            throw new Refused(pid, "it is a child of this JVM, whose reaper would take the stop "
                    + "for its end; start it detached, or ask another process", null);
        }
        String tracer = Processes.status(pid, "TracerPid");
        if (!"0".equals(tracer)) {
            throw new Refused(pid, "process " + tracer + " traces it already; detach that "
                    + "debugger first", null);
        }
    }

    private static void requireX8664(long pid) throws IOException {
        byte[] header;
        try (InputStream program = Files.newInputStream(proc(pid, "exe"))) {
            header = program.readNBytes(ELF_HEADER);
        }
        if (header.length < ELF_HEADER || header[ELF_CLASS] != ELF_CLASS_64
                || header[ELF_MACHINE] != ELF_MACHINE_X86_64) {
            throw new Refused(pid, "its program is not a 64-bit x86 one; use another tracker",
                    null);
        }
    }

    private static RemoteUserfault inject(long pid) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try (Ptrace target = Ptrace.prepare(pid, livingThread(pid))) {
                seize(pid, target);
                return underStop(pid, target);
            } catch (Ptrace.BadMoment e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private static void seize(long pid, Ptrace target) throws IOException {
        // A filter may kill a process for an unknown call, so it must not see our calls.
        boolean filtered = !"0".equals(Processes.status(pid, "Seccomp"));
        try {
            target.seize(filtered ? Ptrace.O_SUSPEND_SECCOMP : 0);
        } catch (LinuxException e) {
            String hint = filtered ? "its seccomp filter can be suspended with CAP_SYS_ADMIN only"
                    : "tracing it needs CAP_SYS_PTRACE or the same user, and "
                    + "kernel.yama.ptrace_scope below 3";
            throw new Refused(pid, e.getMessage() + "; " + hint, e);
        }
    }

    private static RemoteUserfault underStop(long pid, Ptrace target) throws IOException {
        int fd = -1;
        boolean done = false;
        long begin = System.nanoTime();
        try {
            target.stop();
            fd = copyOut(pid, target);
            done = true;
        } finally {
            target.leave();
            if (!done && fd >= 0) {
                Native.close(fd);
            }
        }
        return new RemoteUserfault(fd, System.nanoTime() - begin);
    }

    private static int copyOut(long pid, Ptrace target) throws IOException {
        long flags = Native.O_CLOEXEC | Native.O_NONBLOCK;
        long remote = target.syscall(Call.USERFAULTFD, flags);
        if (remote == -Native.EPERM) { // an unprivileged target may have this kind only
            remote = target.syscall(Call.USERFAULTFD, flags | Userfault.USER_MODE_ONLY);
        }
        Native.check(remote, "userfaultfd", "inside process " + pid);
        int fd = -1;
        try {
            fd = Processes.takeDescriptor(pid, (int) remote);
        } finally {
            closeRemote(pid, target, remote, fd);
        }
        return fd;
    }

    private static void closeRemote(long pid, Ptrace target, long remote, int taken)
            throws IOException {
        try {
            Native.check(target.syscall(Call.CLOSE, remote), "close", "inside process " + pid);
        } catch (IOException e) {
            if (taken >= 0) {
                Native.close(taken);
            }
            throw e;
        }
    }

    /** The main thread; where that has ended before the others, one of them. */
    private static long livingThread(long pid) throws IOException {
        if (Processes.stateIn(proc(pid, "task/" + pid + "/stat")) != 'Z') {
            return pid;
        }
        try (Stream<Path> tasks = Files.list(proc(pid, "task"))) {
            return tasks.filter(task -> "ZX".indexOf(Processes.stateIn(task.resolve("stat"))) < 0)
                    .mapToLong(task -> Long.parseLong(task.getFileName().toString())).findFirst()
                    .orElseThrow(() -> new IOException("process " + pid + " has ended"));
        }
    }

    private static Path proc(long pid, String what) {
        return Path.of("/proc", Long.toString(pid), what);
    }

    /**
     * Names the descriptor, for {@link Processes#takeDescriptor} by another process.
     *
     * @return its number in this process, or −1 after {@link #release} or {@link #close}
     */
    public synchronized int fd() {
        return fd;
    }

    /**
     * Hands the descriptor over to the caller.
     *
     * @return its number in this process
     */
    public synchronized int release() {
        int released = fd;
        fd = -1;
        return released;
    }

    /**
     * Returns how long the thread of the target stood still.
     *
     * @return nanoseconds, an upper bound
     */
    public long stoppedNanos() {
        return stoppedNanos;
    }

    /** Closes the descriptor unless it was released. Idempotent. */
    @Override
    public synchronized void close() {
        if (fd >= 0) {
            Native.close(fd);
            fd = -1;
        }
    }
}
