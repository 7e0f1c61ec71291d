package io.pageferry.agent.host.linux.block;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import io.pageferry.agent.host.linux.ProcText;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The root of a mount, held open: whatever hangs or is frozen later, it can be thawed by this
 * without opening anything. As long as it is open, nobody can unmount it. Any thread.
 */
public final class MountedFilesystem implements AutoCloseable {
    /** {@code linux/fs.h}. */
    private static final long FIFREEZE = 0xC0045877L;
    private static final long FITHAW = 0xC0045878L;
    private static final String MOUNT_ID = "mnt_id:";

    private final Path mountPoint;
    private final int fd;
    private boolean closed;

    /** What came of an attempt to freeze. */
    public enum Freeze {
        /** Nothing is written to it until it is thawed. */
        FROZEN,
        /** This kind of file system cannot be frozen: vfat for example. */
        IMPOSSIBLE,
        /** Somebody else froze it, and may thaw it at any moment. */
        BY_SOMEBODY_ELSE
    }

    private MountedFilesystem(Path mountPoint, int fd) {
        this.mountPoint = mountPoint;
        this.fd = fd;
    }

    /**
     * Opens the root of a mount.
     *
     * @param mountPoint where it is mounted
     * @param mountId    number of the mount, as mountinfo has it: another one may hide it
     * @return the caller's to close
     * @throws IOException when it cannot be opened, or another one is mounted over it
     */
    public static MountedFilesystem open(Path mountPoint, int mountId) throws IOException {
        int fd = Native.open(mountPoint.toString(), Native.O_RDONLY | Native.O_NONBLOCK);
        MountedFilesystem opened = new MountedFilesystem(mountPoint, fd);
        boolean right = false;
        try {
            right = opened.mountId() == mountId;
            if (!right) {
                throw new IOException(mountPoint + " is hidden by another mount: unmount that");
            }
            return opened;
        } finally {
            if (!right) {
                opened.close();
            }
        }
    }

    private int mountId() throws IOException {
        String info = Files.readString(Path.of("/proc/self/fdinfo/" + fd));
        return ProcText.parse("fdinfo", info, text -> text.lines()
                .filter(line -> line.startsWith(MOUNT_ID))
                .mapToInt(line -> Integer.parseInt(line.substring(MOUNT_ID.length()).strip()))
                .findFirst().orElseThrow(() -> new IllegalArgumentException("no mnt_id")));
    }

    /** {@return where it is mounted} */
    public Path mountPoint() {
        return mountPoint;
    }

    /**
     * Writes what is dirty in its cache, so that freezing it has little left to write. Takes as
     * long as the disk takes.
     *
     * @throws LinuxException when the disk fails
     */
    public void sync() throws LinuxException {
        Native.check(Native.call(Call.SYNCFS, fd), "syncfs", mountPoint.toString());
    }

    /**
     * Freezes it: waits for every write that is under way, and writes what is dirty. May wait in
     * the kernel for as long as the disk hangs, out of reach of signals.
     *
     * @return what came of it
     * @throws LinuxException when the kernel refuses
     */
    public Freeze freeze() throws LinuxException {
        int result = Native.ioctl(fd, FIFREEZE, MemorySegment.NULL);
        if (result == -Native.EOPNOTSUPP) {
            return Freeze.IMPOSSIBLE;
        }
        if (result == -Native.EBUSY) {
            return Freeze.BY_SOMEBODY_ELSE;
        }
        Native.check(result, "FIFREEZE", mountPoint.toString());
        return Freeze.FROZEN;
    }

    /**
     * Lets it go on.
     *
     * @return whether it was frozen
     * @throws LinuxException when the kernel refuses
     */
    public boolean thaw() throws LinuxException {
        int result = Native.ioctl(fd, FITHAW, MemorySegment.NULL);
        if (result == -Native.EINVAL || result == -Native.EOPNOTSUPP) {
            return false;
        }
        Native.check(result, "FITHAW", mountPoint.toString());
        return true;
    }

    /** Lets go of the mount; what is frozen stays so. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Native.close(fd);
        }
    }

    @Override
    public String toString() {
        return mountPoint.toString();
    }
}
