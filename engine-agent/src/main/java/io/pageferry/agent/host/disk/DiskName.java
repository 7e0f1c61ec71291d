package io.pageferry.agent.host.disk;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.block.BlockFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;

/**
 * Which disk of this host a path names.
 *
 * @param path     as it was given, absolute
 * @param isDevice whether it is a block device; else a regular file
 * @param numbers  of the device, major and minor, as {@code /sys} writes them; empty of a file
 * @param identity what no other disk of this host has: of a device its number and that which this
 *                 boot gave the disk behind it, of a file device, inode and birth
 */
public record DiskName(Path path, boolean isDevice, String numbers, String identity) {
    private static final String MODE = "unix:mode";
    private static final int FILE_TYPE = 0xf000;
    private static final int BLOCK_DEVICE = 0x6000;

    /**
     * Looks at a path.
     *
     * @param path of a block device or regular file, links followed
     * @return what it names
     * @throws IOException where it names neither
     */
    public static DiskName of(Path path) throws IOException {
        Path absolute = path.toAbsolutePath();
        if (isBlockDevice(absolute)) {
            String numbers = numbersOf(absolute);
            return new DiskName(absolute, true, numbers, "disk:" + Processes.bootId() + ":"
                    + numbers + ":" + sequence(absolute));
        }
        if (!Files.isRegularFile(absolute)) {
            throw new IOException(Files.exists(absolute)
                    ? absolute + " is neither a block device nor a regular file"
                    : "there is no " + absolute);
        }
        ProcessMaps.FileId file = ProcessMaps.fileId(absolute);
        long birth = Files.readAttributes(absolute, BasicFileAttributes.class).creationTime()
                .to(TimeUnit.NANOSECONDS);
        return new DiskName(absolute, false, "", "disk:" + file.device() + ":" + file.inode()
                + ":" + birth);
    }

    private static long sequence(Path device) {
        try (BlockFile looked = BlockFile.open(device, true, BlockFile.Use.LOOK)) {
            return looked.sequence();
        } catch (LinuxException e) {
            return 0;
        }
    }

    static boolean isBlockDevice(Path path) throws IOException {
        return Files.exists(path) && (((Number) Files.getAttribute(path, MODE)).intValue()
                & FILE_TYPE) == BLOCK_DEVICE;
    }

    static String numbersOf(Path device) throws IOException {
        long rdev = ((Number) Files.getAttribute(device, "unix:rdev")).longValue();
        // glibc's gnu_dev_major and gnu_dev_minor, sys/sysmacros.h
        return (rdev >>> 8 & 0xfff | rdev >>> 32 & 0xfffff000L) + ":"
                + (rdev & 0xff | rdev >>> 12 & 0xffffff00L);
    }
}
