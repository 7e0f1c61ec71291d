package io.pageferry.agent.host.disk;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.block.BlockFile;
import io.pageferry.agent.host.linux.block.DiskUser;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Takes disks of this host: alone, or not at all. The kernel holds a device for whoever opened it
 * with O_EXCL, against mounts and against others who ask so; of a file the bytes are locked by
 * which a QEMU says what it does.
 */
public final class DiskOpening {
    /** Of QEMU's locks (block/file-posix.c): it writes; it lets nobody else write. */
    private static final int WRITES = 101;
    private static final int LETS_NOBODY_WRITE = 201;
    private static final String NAME_ANOTHER = "name another disk";

    private DiskOpening() {
    }

    /**
     * Takes a disk to read it. Nothing is changed.
     *
     * @param path of a block device or regular file
     * @return the disk, the caller's to close
     * @throws GuestException where somebody else uses it, or it cannot be read
     */
    public static DirectDisk source(Path path) throws GuestException {
        return open(path, BlockFile.Use.SOURCE);
    }

    /**
     * Opens a device to read it while file systems on it are written. Nothing is changed.
     *
     * @param path of a block device
     * @return the disk, the caller's to close
     * @throws GuestException where it cannot be read
     */
    public static DirectDisk mounted(Path path) throws GuestException {
        return open(path, BlockFile.Use.SHARED);
    }

    /**
     * Takes a disk to fill it. Nothing is changed yet.
     *
     * @param path of a block device or regular file
     * @return the disk, the caller's to close
     * @throws GuestException where somebody else uses it, or it cannot be written
     */
    public static DirectDisk target(Path path) throws GuestException {
        return open(path, BlockFile.Use.TARGET);
    }

    /**
     * A disk that another program of this move opens.
     *
     * @param name which it is
     * @param held of a device: keeps others out
     */
    public record Claim(DiskName name, BlockFile held) implements AutoCloseable {
        @Override
        public void close() {
            held.close();
        }
    }

    /**
     * Takes a disk for a QEMU program, which locks files by itself.
     *
     * @param path of a block device or regular file
     * @return the claim, the caller's to close when that program has ended
     * @throws GuestException where somebody else uses it, or it cannot be read
     */
    public static Claim claim(Path path) throws GuestException {
        DiskName name = name(path);
        requireUnused(name);
        BlockFile held = null;
        boolean taken = false;
        try {
            held = BlockFile.open(name.path(), name.isDevice(), BlockFile.Use.SOURCE);
            if (!name.isDevice() && held.isLocked(WRITES, 1)) {
                throw locked(path);
            }
            taken = true;
            return new Claim(name, held);
        } catch (LinuxException e) {
            throw refusal(name, e, false);
        } finally {
            if (!taken) {
                close(held);
            }
        }
    }

    private static DirectDisk open(Path path, BlockFile.Use use) throws GuestException {
        DiskName name = name(path);
        if (use != BlockFile.Use.SHARED) {
            requireUnused(name);
        }
        boolean writes = use == BlockFile.Use.TARGET;
        BlockFile direct = null;
        BlockFile tail = null;
        boolean taken = false;
        try {
            direct = BlockFile.open(name.path(), name.isDevice(), use);
            if (name.isDevice() && writes && direct.isReadOnly()) {
                throw refused(path + " is read-only", "blockdev --setrw " + path + ", or "
                        + NAME_ANOTHER);
            }
            if (!name.isDevice()) {
                lock(path, direct, writes);
                tail = writes ? BlockFile.open(name.path(), false, BlockFile.Use.TAIL) : null;
            }
            DirectDisk disk = DirectDisk.of(name, direct, tail);
            if (disk.size() == 0) {
                throw refused(path + " has no bytes", name.isDevice() ? "attach its medium"
                        : "make it as long as the disk is: truncate -s BYTES " + path);
            }
            taken = true;
            return disk;
        } catch (LinuxException e) {
            throw refusal(name, e, writes);
        } finally {
            if (!taken) {
                close(direct);
                close(tail);
            }
        }
    }

    private static void close(BlockFile file) {
        if (file != null) {
            file.close();
        }
    }

    private static DiskName name(Path path) throws GuestException {
        try {
            return DiskName.of(path);
        } catch (IOException e) {
            throw refused(e.getMessage(), "name a block device, or a file that is there: truncate"
                    + " -s BYTES makes one");
        }
    }

    private static void requireUnused(DiskName name) throws GuestException {
        Optional<DiskUser> user = DiskUser.of(name.path(), name.number());
        if (user.isPresent()) {
            throw new GuestException(ErrorCode.BUSY, user.get().what(), user.get().remedy());
        }
    }

    /** Its own QEMU, or another move of it, keeps a file as the kernel keeps a device. */
    private static void lock(Path path, BlockFile file, boolean writes)
            throws LinuxException, GuestException {
        boolean free = writes ? file.lock(0, 0, true)
                : !file.isLocked(WRITES, 1) && file.lock(LETS_NOBODY_WRITE, 1, false);
        if (!free) {
            throw locked(path);
        }
    }

    private static GuestException locked(Path path) {
        return new GuestException(ErrorCode.BUSY, path + " is locked by another process: a"
                + " QEMU that has it, or another move", "end that one, or " + NAME_ANOTHER);
    }

    private static GuestException refusal(DiskName name, LinuxException e, boolean writes) {
        Path path = name.path();
        return switch (e.errno()) {
            case Native.EBUSY -> DiskUser.of(path, name.number()).map(user -> new GuestException(
                    ErrorCode.BUSY, user.what(), user.remedy())).orElseGet(() -> new GuestException(
                    ErrorCode.BUSY, path + " is held by somebody else: a mount in another"
                    + " namespace, or another move", "end that one, or " + NAME_ANOTHER));
            case Native.EACCES, Native.EPERM, Native.EROFS -> refused(path + " cannot be opened"
                    + (writes ? " for writing" : "") + " (" + LinuxException.nameOf(e.errno())
                    + "): it is read-only, or not this user's", writes
                    ? "blockdev --setrw " + path + ", run as root, or " + NAME_ANOTHER
                    : "run as root");
            case Native.EINVAL -> refused(path + " cannot be opened with O_DIRECT: its file system"
                    + " has no such thing", "attach it by losetup -f --show " + path
                    + ", and name the device");
            default -> refused(e.getMessage(), "look at the device (dmesg)");
        };
    }

    private static GuestException refused(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }
}
