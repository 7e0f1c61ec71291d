package io.pageferry.agent.host.disk;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.BlockFile;
import io.pageferry.agent.host.linux.block.DeviceNumber;
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
 * @param number   of the device, null of a file
 * @param identity what no other disk of this host has: of a device its number and that which this
 *                 boot gave the disk behind it, of a file device, inode and birth
 */
public record DiskName(Path path, boolean isDevice, DeviceNumber number, String identity) {
    /**
     * Looks at a path.
     *
     * @param path of a block device or regular file, links followed
     * @return what it names
     * @throws IOException where it names neither
     */
    public static DiskName of(Path path) throws IOException {
        Path absolute = path.toAbsolutePath();
        if (BlockDevices.isNode(absolute)) {
            DeviceNumber number = DeviceNumber.ofNode(absolute);
            return new DiskName(absolute, true, number, "disk:" + Processes.bootId() + ":"
                    + number + ":" + sequence(absolute));
        }
        if (!Files.isRegularFile(absolute)) {
            throw new IOException(Files.exists(absolute)
                    ? absolute + " is neither a block device nor a regular file"
                    : "there is no " + absolute);
        }
        ProcessMaps.FileId file = ProcessMaps.fileId(absolute);
        long birth = Files.readAttributes(absolute, BasicFileAttributes.class).creationTime()
                .to(TimeUnit.NANOSECONDS);
        return new DiskName(absolute, false, null, "disk:" + file.device() + ":" + file.inode()
                + ":" + birth);
    }

    private static long sequence(Path device) {
        try (BlockFile looked = BlockFile.open(device, true, BlockFile.Use.LOOK)) {
            return looked.sequence();
        } catch (LinuxException e) {
            return 0;
        }
    }
}
