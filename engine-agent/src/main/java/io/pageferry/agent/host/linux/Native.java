package io.pageferry.agent.host.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Objects;

/**
 * The two functions of libc that everything here goes through, {@code syscall} and {@code ioctl}.
 * A result is the call's own, or −errno as inside the kernel; no result of a call used here lies
 * in −4095 … −1. May be used by any thread, of this room alone: it is public for the packages
 * below this one.
 */
public final class Native {
    /** Kernel calls with their numbers, from {@code asm/unistd_64.h} and {@code asm-generic}. */
    public enum Call {
        READ(0, 63), WRITE(1, 64), MKNODAT(259, 33), CLOSE(3, 57), MMAP(9, 222),
        MUNMAP(11, 215), MADVISE(28, 233), LSEEK(8, 62),
        PREAD64(17, 67), PWRITE64(18, 68), FTRUNCATE(77, 46), FALLOCATE(285, 47),
        FSTATFS(138, 44), FDATASYNC(75, 83),
        OPENAT(257, 56), MEMFD_CREATE(319, 279), USERFAULTFD(323, 282),
        SOCKET(41, 198), CONNECT(42, 203), GETSOCKOPT(55, 209),
        PTRACE(101, 117), WAIT4(61, 260), SETSID(112, 157), GETTID(186, 178), TGKILL(234, 131),
        PPOLL(271, 73), FCNTL(72, 25), INOTIFY_INIT1(294, 26), INOTIFY_ADD_WATCH(254, 27),
        SYNCFS(306, 267), BPF(321, 280),
        PIDFD_SEND_SIGNAL(424, 424), PIDFD_OPEN(434, 434), PIDFD_GETFD(438, 438);

        private final int x86;
        private final int arm;

        Call(int x86, int arm) {
            this.x86 = x86;
            this.arm = arm;
        }

        /** {@return the call's number on this machine} */
        public int number() {
            return X86 ? x86 : arm;
        }

        /** {@return the call's name in lower case, as messages have it} */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int ESRCH = 3;
    /** A signal came first. */
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int ENXIO = 6;
    public static final int EAGAIN = 11;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EINVAL = 22;
    public static final int ENOTTY = 25;
    public static final int EROFS = 30;
    public static final int EOPNOTSUPP = 95;

    public static final int O_RDONLY = 0;
    /** For {@link #open}: reading and writing. */
    public static final int O_RDWR = 2;
    /** Of a block device: only where nobody else holds it. */
    public static final int O_EXCL = 0x80;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_CLOEXEC = 0x80000;

    /** Whether this is an x86-64 machine. */
    public static final boolean X86 = "amd64".equals(System.getProperty("os.arch"));

    private static final int AT_FDCWD = -100;
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO = STATE.byteOffset(PathElement.groupElement("errno"));
    /** A thread's own: the call writes errno there. Freed with the thread. */
    private static final ThreadLocal<MemorySegment> CAPTURED =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

    private static final MethodHandle SYSCALL = handle("syscall", FunctionDescriptor.of(
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
            JAVA_LONG), 1);
    private static final MethodHandle IOCTL = handle("ioctl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS), 2);

    private Native() {
    }

    // Binding a C function cannot be checked by the JVM: these two descriptors are libc's own.
    @SuppressWarnings("restricted")
    private static MethodHandle handle(String name, FunctionDescriptor shape, int variadicFrom) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), shape,
                Linker.Option.captureCallState("errno"),
                Linker.Option.firstVariadicArg(variadicFrom));
    }

    /**
     * Makes a call.
     *
     * @param call which
     * @param args at most six; the others are 0
     * @return the call's own result, or −errno
     */
    public static long call(Call call, long... args) {
        MemorySegment state = CAPTURED.get();
        try {
            long result = (long) SYSCALL.invokeExact(state, (long) call.number(), at(args, 0),
                    at(args, 1), at(args, 2), at(args, 3), at(args, 4), at(args, 5));
            return result == -1 ? -(long) state.get(JAVA_INT, ERRNO) : result;
        } catch (Throwable t) {
            throw new AssertionError("libc's syscall cannot throw", t);
        }
    }

    /**
     * Makes an ioctl; allocates nothing.
     *
     * @param fd       an open descriptor
     * @param request  the request's number
     * @param argument its third argument: a structure, or an address that stands for a number
     * @return the request's own result, or −errno
     */
    public static int ioctl(int fd, long request, MemorySegment argument) {
        MemorySegment state = CAPTURED.get();
        try {
            int result = (int) IOCTL.invokeExact(state, fd, request, argument);
            return result == -1 ? -state.get(JAVA_INT, ERRNO) : result;
        } catch (Throwable t) {
            throw new AssertionError("libc's ioctl cannot throw", t);
        }
    }

    /**
     * Reads or writes at a place of a file until all is done.
     *
     * @param call    {@link Call#PREAD64} or {@link Call#PWRITE64}
     * @param fd      an open descriptor
     * @param offset  in the file
     * @param address of this process's memory, as {@link #addressOf} gives it
     * @param bytes   how many
     * @return the bytes moved, less only where a file ends; or −errno
     */
    public static long transfer(Call call, int fd, long offset, long address, long bytes) {
        long done = 0;
        while (done < bytes) {
            long count = call(call, fd, address + done, bytes - done, offset + done);
            if (count == 0 || count < 0 && count != -EINTR) {
                return count == 0 ? done : count;
            }
            done += Math.max(0, count);
        }
        return done;
    }

    /**
     * Returns where a part of native memory lies.
     *
     * @param memory native
     * @param at     offset of the part
     * @param bytes  its length
     * @return its address
     */
    public static long addressOf(MemorySegment memory, long at, long bytes) {
        if (!memory.isNative()) {
            throw new IllegalArgumentException("native memory only");
        }
        Objects.checkFromIndexSize(at, bytes, memory.byteSize());
        return memory.address() + at;
    }

    /**
     * Opens a path, always close-on-exec.
     *
     * @param path  of a file
     * @param flags {@code O_} constants
     * @return the descriptor, the caller's to {@link #close}
     * @throws LinuxException when the kernel refuses
     */
    public static int open(String path, int flags) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            return (int) check(call(Call.OPENAT, AT_FDCWD, arena.allocateFrom(path).address(),
                    flags | O_CLOEXEC), "open", path);
        }
    }

    /**
     * Closes a descriptor. An error of close leaves nothing that could be done.
     *
     * @param fd an open descriptor
     */
    public static void close(int fd) {
        call(Call.CLOSE, fd);
    }

    /**
     * Turns −errno into an exception and passes everything else on.
     *
     * @param result of a call here
     * @param call   its name, as in its manual page
     * @param detail what it was done to
     * @return the result, when it is none
     * @throws LinuxException when it is −errno
     */
    public static long check(long result, String call, String detail) throws LinuxException {
        if (result < 0) {
            throw new LinuxException(call, (int) -result, detail);
        }
        return result;
    }

    private static long at(long[] args, int index) {
        return index < args.length ? args[index] : 0;
    }
}
