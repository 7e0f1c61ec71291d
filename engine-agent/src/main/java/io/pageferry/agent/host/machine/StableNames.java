package io.pageferry.agent.host.machine;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of devices as fstab and boot loaders have them: those that another controller would change
 * become the UUID of what is on the device.
 */
public final class StableNames {
    /** A disk, and the number of a partition of it. */
    private static final Pattern PARTITION = Pattern.compile(
            "/dev/(?:(sd|hd|vd|xvd)([a-z]+)(\\d+)|(nvme|mmcblk)(\\d+)(?:n\\d+)?p(\\d+))");
    private static final Pattern WHOLE = Pattern.compile(
            "/dev/(?:(?:sd|hd|vd|xvd)[a-z]+|nvme\\d+n\\d+|mmcblk\\d+)");
    private static final Pattern BY_HARDWARE =
            Pattern.compile("/dev/disk/by-(?:id|path)/(.+)-part(\\d+)");
    private static final Pattern MAPPED = Pattern.compile("/dev/(?:mapper/|dm-|md).*");
    private static final int LETTERS = 26;

    private StableNames() {
    }

    /**
     * A partition, as a name says it.
     *
     * @param disk   which disk: its number among those of the host, or its name by hardware
     * @param number of the partition on it
     */
    public record Partition(String disk, int number) { }

    /**
     * Reads a name.
     *
     * @param name of a device
     * @return the partition; null where it is no name that hardware decides
     */
    public static Partition partition(String name) {
        Matcher plain = PARTITION.matcher(name);
        if (plain.matches()) {
            return plain.group(1) == null
                    ? new Partition(plain.group(5), Integer.parseInt(plain.group(6)))
                    : new Partition(Integer.toString(letters(plain.group(2))),
                    Integer.parseInt(plain.group(3)));
        }
        Matcher hardware = BY_HARDWARE.matcher(name);
        return hardware.matches() ? new Partition(hardware.group(1),
                Integer.parseInt(hardware.group(2))) : null;
    }

    /** {@code a} is 0 and {@code aa} is 26, as the kernel counts disks. */
    private static int letters(String letters) {
        int number = 0;
        for (char letter : letters.toCharArray()) {
            number = number * LETTERS + letter - 'a' + 1;
        }
        return number - 1;
    }

    /**
     * Returns whether another controller would change a name.
     *
     * @param name of a device
     * @return true of a disk by its kernel's name, its hardware or its place
     */
    public static boolean isUnstable(String name) {
        return partition(name) != null || WHOLE.matcher(name).matches()
                || name.startsWith("/dev/disk/by-id/") || name.startsWith("/dev/disk/by-path/");
    }

    /**
     * Returns whether a name is that of something made of disks.
     *
     * @param name of a device
     * @return true of device-mapper and md
     */
    public static boolean isMapped(String name) {
        return MAPPED.matcher(name).matches();
    }

    /**
     * Makes a name that holds anywhere.
     *
     * @param name    of a device, or what stands for one
     * @param devices which are there
     * @return it, or {@code UUID=…}
     * @throws IOException where what is on the device is not known
     */
    public static String of(String name, Devices devices) throws IOException {
        return isUnstable(name) ? "UUID=" + devices.uuid(name) : name;
    }
}
