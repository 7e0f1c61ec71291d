package io.pageferry.agent.guest.qemu.disk;

import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the processes here that keep a QEMU from writing to its images. QEMU locks single bytes of
 * an image (block/file-posix.c): byte 100 + n for what it does, 200 + n for what it lets no other
 * do, where n is 1 for writing. So a lock on byte 101 or 201 is what stands in a writer's way.
 *
 * <p>The locks are those of open file descriptions: {@code /proc/locks} knows no process of
 * theirs (it shows -1), {@code /proc/PID/fdinfo} does.
 */
public final class DiskLockHolders {
    private static final long WRITES = 101;
    private static final long LETS_NOBODY_WRITE = 201;
    private static final int COMMAND_LENGTH = 100;
    private static final Path PROC = Path.of("/proc");

    /**
     * {@code lock: 1: OFDLCK ADVISORY READ -1 fe:00:1234 101 101}, the end maybe EOF. Numbers that
     * no file reaches fit no long. Single blanks behind the kind: two that repeat beside each other
     * would be tried in every way.
     */
    private static final Pattern LOCK = Pattern.compile(
            "lock:\\s+\\d+: (?:OFDLCK|POSIX) .* (\\d{1,18}) (\\d{1,18}|EOF)");

    /**
     * A process that holds an image.
     *
     * @param pid     a process id
     * @param command how it was started, cut at 100 characters
     * @param image   the image, by the path under which the asking QEMU opened it
     */
    public record Holder(long pid, String command, String image) {
        @Override
        public String toString() {
            return image + " is held by process " + pid + " (" + command + ")";
        }
    }

    /** A file, whatever its names. */
    private record Inode(Object device, Object number) { }

    private DiskLockHolders() {
    }

    /**
     * Finds the other processes that hold what a QEMU has open. Takes some ten milliseconds.
     *
     * @param pid QEMU's
     * @return empty where no process does, or none that can be seen here: on another host, or with
     *     the files of other users where this does not run as root
     */
    public static List<Holder> of(long pid) {
        return of(PROC, pid);
    }

    static List<Holder> of(Path proc, long pid) {
        Map<Inode, String> images = new HashMap<>();
        for (Path one : list(proc.resolve(pid + "/fd"), "[0-9]*")) {
            String target = target(one);
            Inode inode = target.startsWith("/") ? inode(one) : null;
            if (inode != null) {
                images.put(inode, target);
            }
        }
        List<Holder> found = new ArrayList<>();
        for (Path process : list(proc, "[0-9]*")) {
            if (!process.getFileName().toString().equals(Long.toString(pid))) {
                held(process, images).forEach(image -> found.add(new Holder(
                        Long.parseLong(process.getFileName().toString()), command(process),
                        image)));
            }
        }
        return found;
    }

    /**
     * Describes the processes that hold what a QEMU has open.
     *
     * @param pid QEMU's
     * @return one line without a final stop
     */
    public static String describe(long pid) {
        List<Holder> holders = of(pid);
        return holders.isEmpty()
                ? "no process that can be seen on this host holds it: look on the others"
                : String.join("; ", holders.stream().map(Holder::toString).toList());
    }

    private static List<String> held(Path process, Map<Inode, String> images) {
        List<String> found = new ArrayList<>();
        for (Path info : list(process.resolve("fdinfo"), "[0-9]*")) {
            if (read(info).lines().anyMatch(DiskLockHolders::isInTheWay)) {
                Inode inode = inode(process.resolve("fd").resolve(info.getFileName()));
                String image = inode == null ? null : images.get(inode);
                if (image != null && !found.contains(image)) {
                    found.add(image);
                }
            }
        }
        return found;
    }

    static boolean isInTheWay(String line) {
        Matcher lock = LOCK.matcher(line);
        if (!lock.matches()) {
            return false;
        }
        long first = Long.parseLong(lock.group(1));
        long last = lock.group(2).equals("EOF") ? Long.MAX_VALUE : Long.parseLong(lock.group(2));
        return first <= WRITES && WRITES <= last
                || first <= LETS_NOBODY_WRITE && LETS_NOBODY_WRITE <= last;
    }

    private static String command(Path process) {
        String line = Printable.of(
                read(process.resolve("cmdline")).replace('\0', ' ').strip());
        return line.length() <= COMMAND_LENGTH ? line : line.substring(0, COMMAND_LENGTH) + " …";
    }

    /** A process may end, and close a file, at any moment: then there is nothing to see. */
    private static List<Path> list(Path folder, String names) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, names)) {
            entries.forEach(found::add);
        } catch (IOException | java.nio.file.DirectoryIteratorException
                | UncheckedIOException e) {
            return found;
        }
        return found;
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static Inode inode(Path file) {
        try {
            Map<String, Object> is = Files.readAttributes(file, "unix:dev,ino");
            return new Inode(is.get("dev"), is.get("ino"));
        } catch (IOException e) {
            return null;
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }
}
