package io.pageferry.agent.host.linux;

import io.pageferry.agent.host.linux.Native.Call;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Hears by inotify that a file was written, made shorter or longer, or lost storage, whoever does
 * it and however the file was opened; never a store through a mapping (tried on Linux 6.18 with
 * tmpfs and ext4). Of a memfd and other memory without a name, it hears only a change of the size.
 * One call at
 * a time.
 */
public final class FileWatch implements AutoCloseable {
    private static final int IN_MODIFY = 2;
    /** Room for a thousand events; equal ones that follow each other are one. */
    private static final int BUFFER_BYTES = 16384;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment events = arena.allocate(BUFFER_BYTES, Long.BYTES);
    private final int fd;
    private boolean closed;

    private FileWatch(int fd) {
        this.fd = fd;
    }

    /**
     * Makes a watch of no file.
     *
     * @return the caller's to close
     * @throws LinuxException EMFILE where this user has as many as
     *                        {@code fs.inotify.max_user_instances} allows
     */
    public static FileWatch open() throws LinuxException {
        return new FileWatch((int) Native.check(Native.call(Call.INOTIFY_INIT1,
                Native.O_NONBLOCK | Native.O_CLOEXEC), "inotify_init1",
                "sysctl fs.inotify.max_user_instances says how many there may be"));
    }

    /**
     * Watches a file from now on, by whatever name it has.
     *
     * @param file open; may be closed afterwards
     * @throws LinuxException ENOSPC where this user watches as many files as
     *                        {@code fs.inotify.max_user_watches} allows
     */
    public void add(SharedMemory file) throws LinuxException {
        try (Arena path = Arena.ofConfined()) {
            Native.check(Native.call(Call.INOTIFY_ADD_WATCH, fd,
                    path.allocateFrom(file.procPath().toString()).address(), IN_MODIFY),
                    "inotify_add_watch",
                    "sysctl fs.inotify.max_user_watches says how many there may be");
        }
    }

    /**
     * Takes what was heard. Does not wait. Where there was more than one look takes, or so much
     * that the kernel lost some, the next call is true too.
     *
     * @return whether anything was heard since the last call
     * @throws LinuxException when the kernel refuses
     */
    public boolean heard() throws LinuxException {
        long count = Native.call(Call.READ, fd, events.address(), BUFFER_BYTES);
        return count != -Native.EAGAIN
                && Native.check(count, "read", "events of inotify") > 0;
    }

    /** Stops listening. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Native.close(fd);
            arena.close();
        }
    }
}
