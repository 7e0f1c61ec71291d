package io.pageferry.agent.host.linux.block;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Number of a device, as {@code 8:1} in sysfs and in mountinfo.
 *
 * @param major of its driver; 0 for a file system that is on no block device
 * @param minor inside that
 */
public record DeviceNumber(int major, int minor) implements Comparable<DeviceNumber> {
    /**
     * Reads one.
     *
     * @param text such as {@code 8:1}
     * @return the number
     * @throws IllegalArgumentException when it has another form
     */
    public static DeviceNumber parse(String text) {
        String[] parts = text.strip().split(":", -1);
        if (parts.length != 2) {
            throw new IllegalArgumentException("no device number: " + text);
        }
        return new DeviceNumber(Integer.parseUnsignedInt(parts[0]),
                Integer.parseUnsignedInt(parts[1]));
    }

    /**
     * Takes one apart.
     *
     * @param device as stat(2) and the kernel's ioctls give it
     * @return the number
     */
    static DeviceNumber of(long device) {
        return new DeviceNumber((int) (device >>> 8 & 0xfff | device >>> 32 & ~0xfffL),
                (int) (device & 0xff | device >>> 12 & ~0xffL));
    }

    /**
     * Finds the device that a file is stored on.
     *
     * @param file of any kind; a symbolic link is followed
     * @return st_dev
     * @throws IOException when it is not there
     */
    public static DeviceNumber ofStorage(Path file) throws IOException {
        return of((long) Files.getAttribute(file, "unix:dev"));
    }

    /**
     * Finds the device that a file in {@code /dev} stands for.
     *
     * @param node a device node; a symbolic link is followed
     * @return st_rdev
     * @throws IOException when it is not there
     */
    public static DeviceNumber ofNode(Path node) throws IOException {
        return of((long) Files.getAttribute(node, "unix:rdev"));
    }

    @Override
    public int compareTo(DeviceNumber other) {
        int byMajor = Integer.compare(major, other.major);
        return byMajor != 0 ? byMajor : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
        return major + ":" + minor;
    }
}
