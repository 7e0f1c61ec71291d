package io.pageferry.agent.host.linux.block;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import io.pageferry.agent.host.linux.ProcessMaps;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * An open block device or regular file. Offsets and lengths are in bytes. Opened for direct IO,
 * they and the memory must be multiples of {@link #sectorBytes}, but for a read that ends with the
 * file. Every call may wait for the device; any thread, several at once.
 */
public final class BlockFile implements AutoCloseable {
    /** What a file has where no device says so. */
    public static final int SECTOR = 512;

    private static final int O_EXCL = 0200;
    private static final int SEEK_END = 2;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int FALLOC_FL_PUNCH_HOLE = 2;
    private static final int FALLOC_FL_ZERO_RANGE = 16;
    /** {@code linux/fs.h}. */
    private static final int BLKROGET = 0x125e;
    private static final int BLKSSZGET = 0x1268;
    private static final long BLKGETDISKSEQ = 0x80081280L;
    /** {@code linux/fcntl.h}: locks of an open file, not of a process. */
    private static final int F_OFD_GETLK = 36;
    private static final int F_OFD_SETLK = 37;
    private static final short F_RDLCK = 0;
    private static final short F_WRLCK = 1;
    private static final short F_UNLCK = 2;
    /** {@code struct flock}: type, whence, start, length, process. */
    private static final int FLOCK_BYTES = 32;

    /** How to open. */
    public enum Use {
        /** Reading, past the page cache, and of a device held alone. */
        SOURCE(Native.O_RDONLY | O_EXCL | (int) ProcessMaps.O_DIRECT),
        /** The same of a device that others write to. */
        SHARED(Native.O_RDONLY | (int) ProcessMaps.O_DIRECT),
        /** As a source, and writing. */
        TARGET(Native.O_RDWR | O_EXCL | (int) ProcessMaps.O_DIRECT),
        /** Writing the bytes of a file that fill no sector, by the page cache. */
        TAIL(Native.O_RDWR),
        /** Looking: whoever holds it. */
        LOOK(Native.O_RDONLY | Native.O_NONBLOCK);

        private final int flags;

        Use(int flags) {
            this.flags = flags;
        }
    }

    private final int fd;
    private final String name;
    private final boolean device;
    private boolean closed;

    private BlockFile(int fd, String name, boolean device) {
        this.fd = fd;
        this.name = name;
        this.device = device;
    }

    /**
     * Opens one.
     *
     * @param path   of a block device or regular file
     * @param device whether it is a block device
     * @param use    how
     * @return the file, the caller's to close
     * @throws LinuxException when the kernel refuses: EBUSY where somebody holds the device
     */
    public static BlockFile open(Path path, boolean device, Use use) throws LinuxException {
        // Of a file O_EXCL has no meaning without O_CREAT.
        int flags = device ? use.flags : use.flags & ~O_EXCL;
        return new BlockFile(Native.open(path.toString(), flags), path.toString(), device);
    }

    /**
     * Returns how long it is.
     *
     * @return bytes
     * @throws LinuxException when the device is gone
     */
    public long size() throws LinuxException {
        return Native.check(Native.call(Call.LSEEK, fd, 0, SEEK_END), "lseek", name);
    }

    /**
     * Returns what it can be addressed by.
     *
     * @return bytes of a logical sector; 512 of a file
     * @throws LinuxException when the device is gone
     */
    public int sectorBytes() throws LinuxException {
        return device ? (int) ask(BLKSSZGET, "BLKSSZGET") : SECTOR;
    }

    /**
     * Returns whether the kernel lets nobody write to the device.
     *
     * @return false of a file
     * @throws LinuxException when the device is gone
     */
    public boolean isReadOnly() throws LinuxException {
        return device && (int) ask(BLKROGET, "BLKROGET") != 0;
    }

    /**
     * Returns the number that this boot gave the disk: a device that was detached and attached
     * again has the same name and another number.
     *
     * @return the number, 0 of a file and where the kernel has none (before Linux 5.15)
     */
    public long sequence() {
        try {
            return device ? ask(BLKGETDISKSEQ, "BLKGETDISKSEQ") : 0;
        } catch (LinuxException e) {
            return 0;
        }
    }

    private long ask(long request, String what) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(JAVA_LONG);
            Native.check(Native.ioctl(fd, request, answer), what, name);
            return answer.get(JAVA_LONG, 0);
        }
    }

    /**
     * Finds data.
     *
     * @param offset 0 … size
     * @param size   where to end
     * @return the first offset &ge; {@code offset} with storage, or {@code size}
     * @throws LinuxException when the kernel refuses
     */
    public long nextData(long offset, long size) throws LinuxException {
        return device ? offset : seek(offset, size, SEEK_DATA);
    }

    /**
     * Finds a hole. A device shows none.
     *
     * @param offset 0 … size
     * @param size   where to end
     * @return the first offset &ge; {@code offset} without storage, or {@code size}
     * @throws LinuxException when the kernel refuses
     */
    public long nextHole(long offset, long size) throws LinuxException {
        return device ? size : seek(offset, size, SEEK_HOLE);
    }

    private long seek(long offset, long size, int whence) throws LinuxException {
        long found = offset >= size ? size : Native.call(Call.LSEEK, fd, offset, whence);
        return found == -Native.ENXIO ? size
                : Math.min(size, Native.check(found, "lseek", name));
    }

    /**
     * Reads a range.
     *
     * @param offset where to begin
     * @param into   native memory
     * @param at     offset there
     * @param bytes  how many
     * @return bytes read, fewer only at the end
     * @throws LinuxException when it cannot be read: EIO and its like
     */
    public long read(long offset, MemorySegment into, long at, long bytes) throws LinuxException {
        return Native.check(Native.transfer(Call.PREAD64, fd, offset,
                Native.addressOf(into, at, bytes), bytes), "pread", name);
    }

    /**
     * Writes a range.
     *
     * @param offset where to begin
     * @param from   native memory
     * @param at     offset there
     * @param bytes  how many
     * @throws LinuxException when it cannot be written
     */
    public void write(long offset, MemorySegment from, long at, long bytes)
            throws LinuxException {
        long done = Native.check(Native.transfer(Call.PWRITE64, fd, offset,
                Native.addressOf(from, at, bytes), bytes), "pwrite", name);
        if (done < bytes) {
            throw new LinuxException("pwrite", Native.EIO, name + " ends at " + (offset + done));
        }
    }

    /**
     * Makes a range zero without writing it, and without storage where that can be.
     *
     * @param offset a multiple of {@link #sectorBytes}
     * @param bytes  likewise
     * @return whether the device or its file system can do that
     * @throws LinuxException when it failed
     */
    public boolean zero(long offset, long bytes) throws LinuxException {
        return fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes)
                || fallocate(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, bytes);
    }

    private boolean fallocate(int mode, long offset, long bytes) throws LinuxException {
        long result;
        do {
            result = Native.call(Call.FALLOCATE, fd, mode, offset, bytes);
        } while (result == -Native.EINTR);
        if (result == -Native.EOPNOTSUPP || result == -Native.EINVAL) {
            return false;
        }
        Native.check(result, "fallocate", name);
        return true;
    }

    /**
     * Waits until all that was written is on the medium.
     *
     * @throws LinuxException when that failed, of any write since it was opened
     */
    public void sync() throws LinuxException {
        Native.check(Native.call(Call.FDATASYNC, fd), "fdatasync", name);
    }

    /**
     * Locks bytes of a file against other open files, as QEMU does, without waiting. The lock ends
     * with this file.
     *
     * @param first  the first of them
     * @param bytes  how many; 0 for all behind it
     * @param alone  whether others may not even have it for reading; it must be open for writing
     * @return false where somebody has a lock that excludes this one
     * @throws LinuxException when its file system has no locks
     */
    public boolean lock(long first, long bytes, boolean alone) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            long result = Native.call(Call.FCNTL, fd, F_OFD_SETLK,
                    flock(arena, alone ? F_WRLCK : F_RDLCK, first, bytes).address());
            if (result == -Native.EAGAIN || result == -Native.EACCES) {
                return false;
            }
            Native.check(result, "fcntl", name);
            return true;
        }
    }

    /**
     * Looks whether somebody else has a lock on bytes of a file.
     *
     * @param first the first of them
     * @param bytes how many
     * @return true where one does
     * @throws LinuxException when its file system has no locks
     */
    public boolean isLocked(long first, long bytes) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment asked = flock(arena, F_WRLCK, first, bytes);
            Native.check(Native.call(Call.FCNTL, fd, F_OFD_GETLK, asked.address()), "fcntl", name);
            return asked.get(JAVA_SHORT, 0) != F_UNLCK;
        }
    }

    private static MemorySegment flock(Arena arena, short type, long first, long bytes) {
        MemorySegment flock = arena.allocate(FLOCK_BYTES, Long.BYTES);
        flock.set(JAVA_SHORT, 0, type);
        flock.set(JAVA_LONG, Long.BYTES, first);
        flock.set(JAVA_LONG, 2 * Long.BYTES, bytes);
        flock.set(JAVA_INT, 3 * Long.BYTES, 0);
        return flock;
    }

    /** Closes it, and lets go of the device and of locks. Idempotent; no call may be under way. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Native.close(fd);
        }
    }
}
