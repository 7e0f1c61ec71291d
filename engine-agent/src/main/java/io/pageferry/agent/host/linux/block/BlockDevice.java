package io.pageferry.agent.host.linux.block;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import java.nio.file.Path;

/**
 * A disk or a partition of one, as sysfs shows it.
 *
 * @param number      its own
 * @param name        as in {@code /sys/block}, {@code sda1} for example
 * @param disk        number of the whole disk, its own where it is one
 * @param firstSector where it begins on that disk, in sectors of 512 bytes
 * @param sectors     its size in sectors of 512 bytes
 */
public record BlockDevice(DeviceNumber number, String name, DeviceNumber disk, long firstSector,
        long sectors) {
    private static final int SECTORS_OF_A_PAGE = 8;

    /** {@return whether it is a part of another device} */
    public boolean isPartition() {
        return !number.equals(disk);
    }

    /** {@return its size in pages of 4096 bytes, the last of which it may not fill} */
    public long pages() {
        return (sectors + SECTORS_OF_A_PAGE - 1) / SECTORS_OF_A_PAGE;
    }

    /** {@return its node, for opening it} */
    public Path node() {
        return Path.of("/dev", name.replace('!', '/'));
    }

    /**
     * Returns whether somebody holds it against others: a file system, swap, or what is made of
     * it. Of a disk also where one of its partitions is held.
     *
     * @return true where the kernel gives it to nobody else
     * @throws LinuxException when it cannot be opened for another reason
     */
    public boolean isHeldExclusively() throws LinuxException {
        try {
            Native.close(Native.open(node().toString(), Native.O_RDONLY | Native.O_EXCL));
            return false;
        } catch (LinuxException e) {
            if (e.errno() == Native.EBUSY) {
                return true;
            }
            throw e;
        }
    }
}
