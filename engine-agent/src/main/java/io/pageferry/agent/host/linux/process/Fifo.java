package io.pageferry.agent.host.linux.process;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * A named pipe (man 7 fifo), held open for writing and reading: so opening it waits for nobody, and
 * a reader sees its end only once every holder has closed it. One thread.
 */
public final class Fifo implements AutoCloseable {
    /** S_IFIFO and 0600 (man 7 inode). */
    private static final int MODE = 0x1000 | 0600;
    private static final int AT_FDCWD = -100;
    /** asm-generic/ioctls.h. */
    private static final long FIONREAD = 0x541b;
    private static final long POLL_NANOS = 200_000;

    private final Path path;
    private final int fd;
    private boolean closed;

    private Fifo(Path path, int fd) {
        this.path = path;
        this.fd = fd;
    }

    /**
     * Makes one.
     *
     * @param path free, in a folder that others cannot write to
     * @return it, open
     * @throws LinuxException when the kernel refuses
     */
    public static Fifo create(Path path) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            Native.check(Native.call(Call.MKNODAT, AT_FDCWD,
                    arena.allocateFrom(path.toString()).address(), MODE, 0), "mknodat",
                    path.toString());
        }
        return open(path);
    }

    /**
     * Opens one.
     *
     * @param path of a named pipe
     * @return it
     * @throws LinuxException when it is not there
     */
    public static Fifo open(Path path) throws LinuxException {
        return new Fifo(path,
                Native.open(path.toString(), Native.O_RDWR | Native.O_NONBLOCK));
    }

    /**
     * Writes bytes.
     *
     * @param bytes    all of them are written
     * @param reads    whether the reader is still there, asked while the pipe is full
     * @param deadline by System.nanoTime
     * @throws IOException when the reader is gone or does not read in time
     */
    public void write(byte[] bytes, BooleanSupplier reads, long deadline) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(Math.max(1, bytes.length));
            MemorySegment.copy(bytes, 0, all, ValueLayout.JAVA_BYTE, 0, bytes.length);
            long done = 0;
            while (done < bytes.length) {
                long count = Native.call(Call.WRITE, fd, all.address() + done,
                        bytes.length - done);
                if (count == -Native.EAGAIN) {
                    await(reads, deadline);
                } else if (count != -Native.EINTR) {
                    done += Native.check(count, "write", path.toString());
                }
            }
        }
    }

    /**
     * Waits until all that was written has been read.
     *
     * @param reads    as above
     * @param deadline as above
     * @throws IOException as above
     */
    public void awaitRead(BooleanSupplier reads, long deadline) throws IOException {
        while (unread() > 0) {
            await(reads, deadline);
        }
    }

    private void await(BooleanSupplier reads, long deadline) throws IOException {
        if (!reads.getAsBoolean()) {
            throw new IOException("who reads " + path + " is gone");
        }
        if (System.nanoTime() - deadline > 0) {
            throw new IOException("who reads " + path + " does not go on reading");
        }
        LockSupport.parkNanos(POLL_NANOS);
    }

    private int unread() throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            Native.check(Native.ioctl(fd, FIONREAD, count), "ioctl", path.toString());
            return count.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /** Lets go of it. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Native.close(fd);
        }
    }
}
