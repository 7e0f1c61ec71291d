package io.pageferry.agent.host.linux.block;

import io.pageferry.agent.host.linux.ProcText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The block devices of a host, looked up in sysfs each time they are asked for. Any thread. */
public final class BlockDevices {
    /** {@code sys/stat.h}. */
    private static final int FILE_TYPE = 0xf000;
    private static final int BLOCK_DEVICE = 0x6000;

    private final Path sys;

    /**
     * Looks into a sysfs.
     *
     * @param sys where it is mounted
     */
    public BlockDevices(Path sys) {
        this.sys = sys;
    }

    /** {@return those of this host} */
    public static BlockDevices ofHost() {
        return new BlockDevices(Path.of("/sys"));
    }

    /**
     * Finds a device.
     *
     * @param number of a disk or a partition
     * @return what sysfs says of it
     * @throws IOException when there is no such block device
     */
    public BlockDevice find(DeviceNumber number) throws IOException {
        Path folder = folder(number);
        boolean part = Files.exists(folder.resolve("partition"));
        DeviceNumber disk = part ? numberOf(folder.getParent()) : number;
        return new BlockDevice(number, folder.getFileName().toString(), disk,
                part ? number(folder.resolve("start")) : 0, number(folder.resolve("size")));
    }

    /**
     * A whole disk.
     *
     * @param name      as in {@code /sys/block}
     * @param number    its own
     * @param bytes     its size; 0 of a drive without a medium, or a loop device without a file
     * @param removable whether its medium is
     * @param readOnly  whether the kernel lets nobody write to it
     */
    public record Whole(String name, DeviceNumber number, long bytes, boolean removable,
            boolean readOnly) {
        /** {@return its node, for opening it} */
        public Path node() {
            return Path.of("/dev", name.replace('!', '/'));
        }
    }

    /**
     * Lists whole disks, and what is made of some.
     *
     * @return all, by their names
     * @throws IOException when sysfs cannot be read
     */
    public List<Whole> wholes() throws IOException {
        List<Whole> found = new ArrayList<>();
        for (Path entry : list(sys.resolve("block"))) {
            found.add(new Whole(entry.getFileName().toString(), numberOf(entry),
                    number(entry.resolve("size")) * BlockFile.SECTOR,
                    number(entry.resolve("removable")) != 0, number(entry.resolve("ro")) != 0));
        }
        return found;
    }

    /**
     * Lists the partitions that the kernel knows of a disk.
     *
     * @param disk its number
     * @return their numbers; none of a partition
     * @throws IOException when there is no such disk
     */
    public List<DeviceNumber> partitions(DeviceNumber disk) throws IOException {
        List<DeviceNumber> found = new ArrayList<>();
        for (Path entry : list(folder(disk))) {
            if (Files.exists(entry.resolve("partition"))) {
                found.add(numberOf(entry));
            }
        }
        return found;
    }

    /**
     * Lists what is made of a device: device-mapper and md devices on top of it.
     *
     * @param number of a disk or a partition
     * @return their numbers
     * @throws IOException when there is no such device
     */
    public List<DeviceNumber> holders(DeviceNumber number) throws IOException {
        return numbers(folder(number).resolve("holders"));
    }

    /**
     * Lists what a device is made of.
     *
     * @param number of a disk or a partition
     * @return names of the devices below it, none for a disk of its own
     * @throws IOException when there is no such device
     */
    public List<String> slaves(DeviceNumber number) throws IOException {
        return list(folder(number).resolve("slaves")).stream()
                .map(slave -> slave.getFileName().toString()).sorted().toList();
    }

    /**
     * Returns whether the kernel makes requests of what is written to a disk. Where it does not
     * (device-mapper, md, zram), it hands on the parts that it was given.
     *
     * @param disk number of a whole disk
     * @return whether it has queues of requests
     * @throws IOException when there is no such disk
     */
    public boolean hasRequests(DeviceNumber disk) throws IOException {
        return Files.isDirectory(folder(disk).resolve("mq"));
    }

    /**
     * Returns whether a disk is memory that programs may map and store to.
     *
     * @param disk number of a whole disk
     * @return whether DAX is possible on it
     * @throws IOException when there is no such disk
     */
    public boolean isDax(DeviceNumber disk) throws IOException {
        Path dax = folder(disk).resolve("queue/dax");
        return Files.exists(dax) && number(dax) != 0;
    }

    /**
     * Lists the loop devices that have a file.
     *
     * @return all of them
     * @throws IOException when sysfs cannot be read, or one cannot be opened
     */
    public List<LoopDevice> loops() throws IOException {
        List<LoopDevice> found = new ArrayList<>();
        for (DeviceNumber number : loopFiles().keySet()) {
            LoopDevice.of(find(number).name(), number).ifPresent(found::add);
        }
        return found;
    }

    /**
     * Lists the files of loop devices by their names, for which no device has to be opened.
     *
     * @return by the number of the device; a file that was deleted or renamed has its old name
     * @throws IOException when sysfs cannot be read
     */
    public Map<DeviceNumber, Path> loopFiles() throws IOException {
        Map<DeviceNumber, Path> found = new TreeMap<>();
        for (Path entry : list(sys.resolve("block"))) {
            Path file = entry.resolve("loop/backing_file");
            if (entry.getFileName().toString().startsWith("loop") && Files.exists(file)) {
                found.put(numberOf(entry), ProcText.parse(file.toString(), text(file), Path::of));
            }
        }
        return found;
    }

    /**
     * Returns what device-mapper calls a device.
     *
     * @param number of the device
     * @return its name; empty of any other kind
     * @throws IOException when there is no such device
     */
    public Optional<String> mappedName(DeviceNumber number) throws IOException {
        Path name = folder(number).resolve("dm/name");
        return Files.exists(name) ? Optional.of(text(name)) : Optional.empty();
    }

    /**
     * Lists the devices of each btrfs, which may have several.
     *
     * @return one list for each file system
     * @throws IOException when sysfs cannot be read
     */
    public List<List<DeviceNumber>> btrfs() throws IOException {
        List<List<DeviceNumber>> found = new ArrayList<>();
        for (Path entry : list(sys.resolve("fs/btrfs"))) {
            List<DeviceNumber> devices = numbers(entry.resolve("devices"));
            if (!devices.isEmpty()) {
                found.add(devices);
            }
        }
        return found;
    }

    /**
     * Returns whether a path names a block device.
     *
     * @param path of anything, or of nothing; links are followed
     * @return whether it is the node of one
     * @throws IOException when it cannot be looked at
     */
    public static boolean isNode(Path path) throws IOException {
        return Files.exists(path) && (((Number) Files.getAttribute(path, "unix:mode")).intValue()
                & FILE_TYPE) == BLOCK_DEVICE;
    }

    private Path folder(DeviceNumber number) throws IOException {
        try {
            return sys.resolve("dev/block/" + number).toRealPath();
        } catch (NoSuchFileException e) {
            throw new IOException("there is no block device " + number
                    + ": give the number of a disk or a partition of this host", e);
        }
    }

    private static List<DeviceNumber> numbers(Path folder) throws IOException {
        List<DeviceNumber> found = new ArrayList<>();
        for (Path entry : list(folder)) {
            found.add(numberOf(entry));
        }
        return found;
    }

    private static DeviceNumber numberOf(Path folder) throws IOException {
        Path file = folder.resolve("dev");
        return ProcText.parse(file.toString(), text(file), DeviceNumber::parse);
    }

    private static long number(Path file) throws IOException {
        return ProcText.parse(file.toString(), text(file), Long::parseLong);
    }

    private static String text(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.ISO_8859_1).strip();
    }

    /** A folder that is not there has nothing in it: drivers have what they need. */
    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().toList();
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        }
    }
}
