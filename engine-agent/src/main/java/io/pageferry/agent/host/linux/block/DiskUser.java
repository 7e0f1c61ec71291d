package io.pageferry.agent.host.linux.block;

import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Who uses a disk of this host: a mounted file system, swap, another device on top of it, a loop
 * device, a process. A snapshot; what another user's processes have open is seen by root alone.
 *
 * @param what   a whole sentence without its end
 * @param remedy what to do about it
 */
public record DiskUser(String what, String remedy) {
    private static final BlockDevices HOST = BlockDevices.ofHost();
    private static final Path PROC = Path.of("/proc");
    private static final int COMMAND_LENGTH = 100;

    /**
     * Looks for whoever uses a disk, or a part of it, or what it is a part of.
     *
     * @param path   of a block device or a regular file
     * @param number of the device, null of a file
     * @return the first that was found; empty where nobody was
     */
    public static Optional<DiskUser> of(Path path, DeviceNumber number) {
        if (number == null) {
            return quietly(() -> loopOver(path)).or(() -> openIn(path, null));
        }
        Map<DeviceNumber, String> parts = parts(path, number);
        return quietly(() -> mounted(parts)).or(() -> quietly(() -> swap(parts)))
                .or(() -> quietly(() -> onTop(parts))).or(() -> quietly(() -> loopOver(path)))
                .or(() -> openIn(path, number));
    }

    /** What cannot be looked at names nobody; the kernel refuses the disk all the same. */
    private static Optional<DiskUser> quietly(Search search) {
        try {
            return search.find();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private interface Search {
        Optional<DiskUser> find() throws IOException;
    }

    /** The device, its partitions, and the disk that it is a partition of. */
    private static Map<DeviceNumber, String> parts(Path path, DeviceNumber number) {
        Map<DeviceNumber, String> parts = new LinkedHashMap<>();
        parts.put(number, path.toString());
        try {
            List<DeviceNumber> others = new ArrayList<>();
            others.add(HOST.find(number).disk());
            others.addAll(HOST.partitions(number));
            for (DeviceNumber one : others) {
                parts.putIfAbsent(one, HOST.find(one).node().toString());
            }
        } catch (IOException e) {
            return parts;
        }
        return parts;
    }

    private static Optional<DiskUser> mounted(Map<DeviceNumber, String> parts)
            throws IOException {
        for (Mount mount : Mount.all()) {
            // btrfs has a number of its own.
            String part = parts.getOrDefault(mount.device(), partAt(mount.source(), parts));
            if (part != null) {
                return Optional.of(new DiskUser(part + " is mounted on " + mount.point(),
                        "unmount it: umount " + mount.point()));
            }
        }
        return Optional.empty();
    }

    private static Optional<DiskUser> swap(Map<DeviceNumber, String> parts) throws IOException {
        return SwapAreas.all().stream().map(area -> partAt(area.toString(), parts))
                .filter(Objects::nonNull).findFirst()
                .map(part -> new DiskUser(part + " is swap", "swapoff " + part));
    }

    /** Which part a device node is, or null. */
    private static String partAt(String path, Map<DeviceNumber, String> parts) {
        try {
            return path.startsWith("/") && BlockDevices.isNode(Path.of(path))
                    ? parts.get(DeviceNumber.ofNode(Path.of(path))) : null;
        } catch (IOException | IllegalArgumentException e) {
            return null;
        }
    }

    private static Optional<DiskUser> onTop(Map<DeviceNumber, String> parts)
            throws IOException {
        for (Map.Entry<DeviceNumber, String> part : parts.entrySet()) {
            for (DeviceNumber holder : HOST.holders(part.getKey())) {
                return Optional.of(new DiskUser(HOST.find(holder).node()
                        + HOST.mappedName(holder).map(named -> " (" + named + ")").orElse("")
                        + " is on top of " + part.getValue(), "take it apart first (dmsetup"
                        + " remove, vgchange -an, mdadm --stop)"));
            }
        }
        return Optional.empty();
    }

    private static Optional<DiskUser> loopOver(Path path) throws IOException {
        for (Map.Entry<DeviceNumber, Path> loop : HOST.loopFiles().entrySet()) {
            if (isSame(loop.getValue(), path)) {
                Path device = HOST.find(loop.getKey()).node();
                return Optional.of(new DiskUser(device + " is attached to " + path,
                        "name that device, or losetup -d " + device));
            }
        }
        return Optional.empty();
    }

    private static Optional<DiskUser> openIn(Path path, DeviceNumber number) {
        String own = Long.toString(ProcessHandle.current().pid());
        for (Path process : list(PROC, "[0-9]*")) {
            if (process.getFileName().toString().equals(own)) {
                continue;
            }
            for (Path fd : list(process.resolve("fd"), "[0-9]*")) {
                if (isOf(fd, path, number) && isWritable(process, fd)) {
                    return Optional.of(new DiskUser(path + " is being written by process "
                            + process.getFileName() + " (" + command(process) + ")",
                            "end that process, or name another disk"));
                }
            }
        }
        return Optional.empty();
    }

    private static boolean isWritable(Path process, Path fd) {
        try {
            return (ProcessMaps.openFlags(read(process.resolve("fdinfo")
                    .resolve(fd.getFileName()))) & ProcessMaps.O_ACCMODE) != 0;
        } catch (IOException e) {
            return true;
        }
    }

    private static boolean isOf(Path fd, Path path, DeviceNumber number) {
        try {
            return number != null ? BlockDevices.isNode(fd)
                    && DeviceNumber.ofNode(fd).equals(number)
                    : Files.isSameFile(fd, path);
        } catch (IOException e) {
            return false;
        }
    }

    private static String command(Path process) {
        String line = Printable.of(read(process.resolve("cmdline")).replace('\0', ' ').strip());
        return line.length() <= COMMAND_LENGTH ? line : line.substring(0, COMMAND_LENGTH) + " …";
    }

    private static boolean isSame(Path one, Path other) {
        try {
            return Files.isSameFile(one, other);
        } catch (IOException e) {
            return false;
        }
    }

    private static List<Path> list(Path folder, String names) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, names)) {
            entries.forEach(found::add);
        } catch (IOException | DirectoryIteratorException | UncheckedIOException e) {
            return found;
        }
        return found;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }
}
