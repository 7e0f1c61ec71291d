package io.pageferry.agent.host.linux.userfault;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import io.pageferry.agent.host.linux.Processes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A userfaultfd that notes writes to pages without stopping the writer (asynchronous write
 * protection, Linux 6.7). It belongs to the address space of the process that opened it, whichever
 * process holds the descriptor. Addresses are of that process.
 *
 * <p>It sees writes through the page tables of that one process: not those of another process or
 * of a second, unregistered mapping, not {@code write(2)} to the file, not holes punched into it,
 * and not what devices or {@code O_DIRECT} write into pages they pinned earlier.
 *
 * <p>May be used from any thread. Closing it ends every registration and leaves no trace.
 */
public final class Userfault implements AutoCloseable {
    /** Writes are noted by the kernel alone. */
    static final long FEATURE_WP_ASYNC = 1L << 15;
    /** Pages that were never touched are covered too. */
    static final long FEATURE_WP_UNPOPULATED = 1L << 13;
    /** Shared memory and huge pages are covered too. */
    static final long FEATURE_WP_HUGETLBFS_SHMEM = 1L << 12;
    /** Write protection at all. */
    static final long FEATURE_WP = 1;
    /** A fork is reported, and waits until that was read (needs CAP_SYS_PTRACE). */
    private static final long FEATURE_EVENT_FORK = 1L << 1;
    /** What tracking needs. */
    static final long FEATURES = FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED
            | FEATURE_WP_HUGETLBFS_SHMEM | FEATURE_WP;
    /** Lets an unprivileged process open one; writes are noted all the same. */
    static final int USER_MODE_ONLY = 1;

    private static final long USERFAULTFD_IOC_NEW = 0xAA00L;
    private static final long UFFDIO_API = 0xC018AA3FL;
    private static final long UFFDIO_REGISTER = 0xC020AA00L;
    private static final long UFFDIO_UNREGISTER = 0x8010AA01L;
    private static final long API = 0xAA;
    private static final long MODE_WP = 2;
    private static final int ARGUMENT_BYTES = 32;
    private static final int EVENT_BYTES = 32;
    private static final byte EVENT_FORK = 0x13;
    /** {@code struct pollfd}: descriptor, events asked for, events found. */
    private static final int POLLFD_BYTES = 8;
    private static final short POLLIN = 1;

    private final int fd;
    private boolean closed;

    private Userfault(int fd) {
        this.fd = fd;
    }

    /**
     * Opens one for this process.
     *
     * @return ready to register
     * @throws LinuxException when the kernel has none, lacks a feature or forbids it
     */
    public static Userfault open() throws LinuxException {
        return adopt(openRaw());
    }

    /**
     * Takes over a descriptor that {@link RemoteUserfault} or {@link Processes#takeDescriptor}
     * gave, not used before, and agrees on the features with the kernel.
     *
     * @param fd a descriptor of this process; owned here from now on, closed on failure too
     * @return ready to register
     * @throws LinuxException when the kernel lacks a feature
     */
    public static Userfault adopt(int fd) throws LinuxException {
        return adopt(fd, FEATURES);
    }

    /**
     * The same, and {@link #takeForks} reports a fork of the process. It waits for that call before
     * its child runs, so call it all the time; a closed descriptor lets it go.
     *
     * @param fd as above
     * @return ready to register
     * @throws LinuxException when the kernel lacks a feature; EPERM without CAP_SYS_PTRACE
     */
    public static Userfault adoptTellingForks(int fd) throws LinuxException {
        return adopt(fd, FEATURES | FEATURE_EVENT_FORK);
    }

    /**
     * Takes over a copy of a descriptor that another process works with.
     *
     * @param fd a descriptor of this process; owned here from now on
     * @return for {@link #isForkWaiting} and {@link #takeForks}
     */
    public static Userfault copy(int fd) {
        return new Userfault(fd);
    }

    private static Userfault adopt(int fd, long features) throws LinuxException {
        try {
            handshake(fd, features);
            return new Userfault(fd);
        } catch (LinuxException e) {
            Native.close(fd);
            throw e;
        }
    }

    /**
     * Asks what this kernel can do, on a descriptor of its own: the handshake is once for each.
     *
     * @return bits {@code UFFD_FEATURE_*} of {@code linux/userfaultfd.h}
     * @throws LinuxException when userfaultfd is not available
     */
    static long offered() throws LinuxException {
        int fd = openRaw();
        try {
            return handshake(fd, 0);
        } finally {
            Native.close(fd);
        }
    }

    private static int openRaw() throws LinuxException {
        int flags = Native.O_CLOEXEC | Native.O_NONBLOCK;
        int device = openDevice();
        if (device >= 0) {
            try {
                // The argument of this ioctl is the flags themselves, no pointer.
                int fd = Native.ioctl(device, USERFAULTFD_IOC_NEW, MemorySegment.ofAddress(flags));
                if (fd >= 0) {
                    return fd;
                }
            } finally {
                Native.close(device);
            }
        }
        long fd = Native.call(Call.USERFAULTFD, flags);
        if (fd == -Native.EPERM) {
            fd = Native.call(Call.USERFAULTFD, flags | USER_MODE_ONLY);
        }
        return (int) Native.check(fd, "userfaultfd", "tracking writes in this process");
    }

    /** The device (Linux 6.1) needs no capability, only its file permission. */
    private static int openDevice() {
        try {
            return Native.open("/dev/userfaultfd", Native.O_RDWR);
        } catch (LinuxException e) {
            return -1; // not there or not ours: the system call is the other way
        }
    }

    private static long handshake(int fd, long features) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment api = arena.allocate(ARGUMENT_BYTES, Long.BYTES);
            api.set(JAVA_LONG, 0, API);
            api.set(JAVA_LONG, 8, features);
            Native.check(Native.ioctl(fd, UFFDIO_API, api), "UFFDIO_API",
                    "asking userfaultfd for features 0x" + Long.toHexString(features));
            return api.get(JAVA_LONG, 8);
        }
    }

    /**
     * Tracks a range from now on. The first scan afterwards reports every page of it.
     *
     * @param address multiple of the page size, an address of the tracked process
     * @param length  multiple of the page size, ≥ 1 page; covered by mappings without a gap
     * @throws LinuxException EBUSY when another userfaultfd holds a part, EINVAL when a part is
     *                        not mapped or of a kind that cannot be tracked, ESRCH when the
     *                        process is gone
     */
    public void register(long address, long length) throws LinuxException {
        request(UFFDIO_REGISTER, "UFFDIO_REGISTER", address, length);
    }

    /**
     * Ends the tracking of a range.
     *
     * @param address as registered
     * @param length  as registered
     * @throws LinuxException EINVAL when a part is not mapped any more
     */
    public void unregister(long address, long length) throws LinuxException {
        request(UFFDIO_UNREGISTER, "UFFDIO_UNREGISTER", address, length);
    }

    private void request(long request, String call, long address, long length)
            throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocate(ARGUMENT_BYTES, Long.BYTES);
            range.set(JAVA_LONG, 0, address);
            range.set(JAVA_LONG, 8, length);
            range.set(JAVA_LONG, 16, MODE_WP); // UNREGISTER ends before this field
            Native.check(Native.ioctl(fd, request, range), call,
                    "range 0x" + Long.toHexString(address) + " + " + length);
        }
    }

    /**
     * Takes the forks since the last call, and lets them go on. What the child writes is not
     * tracked. Does not wait.
     *
     * @return how many
     * @throws LinuxException when the kernel refuses
     */
    public synchronized int takeForks() throws LinuxException {
        if (closed) {
            return 0;
        }
        int forks = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(EVENT_BYTES, Long.BYTES); // struct uffd_msg
            long count;
            while ((count = Native.call(Call.READ, fd, event.address(), EVENT_BYTES)) > 0) {
                if (event.get(JAVA_BYTE, 0) == EVENT_FORK) {
                    forks++;
                    // The child's own: closing it ends what it inherited of the tracking.
                    Native.close(event.get(JAVA_INT, Long.BYTES));
                }
            }
            if (count != -Native.EAGAIN && count != -Native.EINTR) {
                Native.check(count, "read", "events of userfaultfd");
            }
        }
        return forks;
    }

    /**
     * Returns whether a fork waits for {@link #takeForks}, of whichever process. Does not wait.
     *
     * @return true where one does
     * @throws LinuxException when the kernel refuses
     */
    public synchronized boolean isForkWaiting() throws LinuxException {
        if (closed) {
            return false;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate(POLLFD_BYTES, Integer.BYTES);
            poll.set(JAVA_INT, 0, fd);
            poll.set(JAVA_SHORT, Integer.BYTES, POLLIN);
            MemorySegment noTime = arena.allocate(2 * Long.BYTES, Long.BYTES);
            Native.check(Native.call(Call.PPOLL, poll.address(), 1, noTime.address(), 0, 0),
                    "ppoll", "events of userfaultfd");
            return (poll.get(JAVA_SHORT, Integer.BYTES + Short.BYTES) & POLLIN) != 0;
        }
    }

    /** Closes the descriptor and so ends every registration. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Native.close(fd);
        }
    }
}
