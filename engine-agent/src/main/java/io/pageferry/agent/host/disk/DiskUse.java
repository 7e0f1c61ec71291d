package io.pageferry.agent.host.disk;

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
import java.util.Optional;

/**
 * Who uses a disk of this host: a mounted file system, swap, another device on top of it, a loop
 * device, a process. A snapshot; what another user's processes have open is seen by root alone.
 *
 * @param what   a whole sentence without its end
 * @param remedy what to do about it
 */
public record DiskUse(String what, String remedy) {
    private static final Path BLOCK = Path.of("/sys/dev/block");
    private static final Path PROC = Path.of("/proc");
    private static final int COMMAND_LENGTH = 100;

    /**
     * Looks for whoever uses a disk, or a part of it, or what it is a part of.
     *
     * @param name the disk
     * @return the first that was found; empty where nobody was
     */
    public static Optional<DiskUse> of(DiskName name) {
        if (!name.isDevice()) {
            return loopOver(name).or(() -> openIn(name));
        }
        Map<String, String> parts = parts(name);
        return mounted(parts).or(() -> swap(parts)).or(() -> onTop(parts))
                .or(() -> loopOver(name)).or(() -> openIn(name));
    }

    /** The device, its partitions, and the disk that it is a partition of, by number. */
    private static Map<String, String> parts(DiskName name) {
        Map<String, String> parts = new LinkedHashMap<>();
        parts.put(name.numbers(), name.path().toString());
        Path folder = BLOCK.resolve(name.numbers());
        try {
            Path real = folder.toRealPath();
            if (Files.exists(real.resolve("partition"))) {
                put(parts, real.getParent());
            }
            for (Path one : list(real, "*")) {
                if (Files.exists(one.resolve("partition"))) {
                    put(parts, one);
                }
            }
        } catch (IOException e) {
            return parts;
        }
        return parts;
    }

    private static void put(Map<String, String> parts, Path device) {
        String numbers = read(device.resolve("dev")).strip();
        if (!numbers.isEmpty()) {
            parts.putIfAbsent(numbers, "/dev/" + device.getFileName());
        }
    }

    /** {@code 36 35 98:0 /root /mnt rw shared:1 - ext4 /dev/sda1 rw} (man 5 proc). */
    private static Optional<DiskUse> mounted(Map<String, String> parts) {
        for (String line : read(PROC.resolve("self/mountinfo")).lines().toList()) {
            String[] field = line.split(" ");
            String source = line.substring(line.indexOf(" - ") + 3).split(" ")[1];
            // btrfs has a number of its own.
            String part = parts.getOrDefault(field[2], numbersOf(source).map(parts::get)
                    .orElse(null));
            if (part != null) {
                String where = unescaped(field[4]);
                return Optional.of(new DiskUse(part + " is mounted on " + where,
                        "unmount it: umount " + where));
            }
        }
        return Optional.empty();
    }

    private static Optional<DiskUse> swap(Map<String, String> parts) {
        return read(PROC.resolve("swaps")).lines().skip(1).map(line -> line.split("\\s+")[0])
                .map(file -> numbersOf(file).map(parts::get).orElse(null))
                .filter(part -> part != null).findFirst().map(part -> new DiskUse(
                        part + " is swap", "swapoff " + part));
    }

    private static Optional<DiskUse> onTop(Map<String, String> parts) {
        for (Map.Entry<String, String> part : parts.entrySet()) {
            for (Path holder : list(BLOCK.resolve(part.getKey()).resolve("holders"), "*")) {
                String named = read(holder.resolve("dm/name")).strip();
                return Optional.of(new DiskUse("/dev/" + holder.getFileName()
                        + (named.isEmpty() ? "" : " (" + named + ")") + " is on top of "
                        + part.getValue(), "take it apart first (dmsetup remove, vgchange -an,"
                        + " mdadm --stop)"));
            }
        }
        return Optional.empty();
    }

    private static Optional<DiskUse> loopOver(DiskName name) {
        for (Path loop : list(Path.of("/sys/block"), "loop*")) {
            String file = read(loop.resolve("loop/backing_file")).strip();
            if (!file.isEmpty() && isSame(Path.of(file), name.path())) {
                Path device = Path.of("/dev").resolve(loop.getFileName());
                return Optional.of(new DiskUse(device + " is attached to " + name.path(),
                        "name that device, or losetup -d " + device));
            }
        }
        return Optional.empty();
    }

    private static Optional<DiskUse> openIn(DiskName name) {
        String own = Long.toString(ProcessHandle.current().pid());
        for (Path process : list(PROC, "[0-9]*")) {
            if (process.getFileName().toString().equals(own)) {
                continue;
            }
            for (Path fd : list(process.resolve("fd"), "[0-9]*")) {
                if (isOf(fd, name) && isWritable(process, fd)) {
                    return Optional.of(new DiskUse(name.path() + " is being written by process "
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

    private static boolean isOf(Path fd, DiskName name) {
        try {
            return name.isDevice() ? DiskName.isBlockDevice(fd)
                    && DiskName.numbersOf(fd).equals(name.numbers())
                    : Files.isSameFile(fd, name.path());
        } catch (IOException e) {
            return false;
        }
    }

    private static String command(Path process) {
        String line = Printable.of(read(process.resolve("cmdline")).replace('\0', ' ').strip());
        return line.length() <= COMMAND_LENGTH ? line : line.substring(0, COMMAND_LENGTH) + " …";
    }

    private static Optional<String> numbersOf(String path) {
        try {
            Path node = Path.of(path);
            return path.startsWith("/") && DiskName.isBlockDevice(node)
                    ? Optional.of(DiskName.numbersOf(node)) : Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static boolean isSame(Path one, Path other) {
        try {
            return Files.isSameFile(one, other);
        } catch (IOException e) {
            return false;
        }
    }

    /** The kernel writes blanks of a path as {@code \040}. */
    private static String unescaped(String path) {
        return path.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
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
