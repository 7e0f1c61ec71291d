package io.pageferry.agent.guest.qemu.disk;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds from outside which disk keeps a QEMU from answering: its main thread waits for the disk,
 * so it cannot be asked. A thread of QEMU's that the kernel holds in a read or a write names its
 * file; requests by native AIO, by an io_uring or over a socket have no such thread.
 */
public final class StalledDisks {
    /** What to do about it. */
    public static final String REMEDY = "look at that storage";

    private static final Path PROC = Path.of("/proc");

    /** pread64, pwrite64, fsync, fdatasync, fallocate, preadv, pwritev, preadv2, pwritev2. */
    private static final Set<String> CALLS =
            Set.of("17", "18", "74", "75", "285", "295", "296", "327", "328");

    private StalledDisks() {
    }

    /**
     * Says what a QEMU waits for.
     *
     * @param pid    QEMU's
     * @param drives its disks
     * @return half a sentence
     */
    public static String describe(long pid, List<QemuFacts.Drive> drives) {
        return describe(PROC, pid, drives);
    }

    static String describe(Path proc, long pid, List<QemuFacts.Drive> drives) {
        Path process = proc.resolve(Long.toString(pid));
        if (isStopped(process)) {
            return "it was stopped by a signal (kill -CONT " + pid + ")";
        }
        List<String> files = held(process);
        List<String> named = drives.stream().filter(drive -> files.contains(drive.file()))
                .map(StalledDisks::name).toList();
        if (!named.isEmpty()) {
            return "the storage of disk " + String.join(" and ", named) + " does not answer";
        }
        if (!files.isEmpty()) {
            return "the storage of " + Printable.of(String.join(" and ", files))
                    + " does not answer";
        }
        List<String> open = drives.stream().filter(drive -> !drive.file().isEmpty())
                .map(StalledDisks::name).toList();
        return switch (open.size()) {
            case 0 -> "it hangs";
            case 1 -> "the storage of disk " + open.getFirst() + " does not answer";
            default -> "the storage of one of its disks does not answer ("
                    + String.join(", ", open) + ")";
        };
    }

    private static String name(QemuFacts.Drive drive) {
        return Printable.of(drive.name() + " (" + drive.file() + ")");
    }

    private static boolean isStopped(Path process) {
        try {
            return Files.readString(process.resolve("status")).lines()
                    .anyMatch(line -> line.startsWith("State:") && line.contains("T (stopped)"));
        } catch (IOException e) {
            return false;
        }
    }

    /** The files that threads of it are held in. */
    private static List<String> held(Path process) {
        List<String> files = new ArrayList<>();
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(process.resolve("task"))) {
            for (Path thread : threads) {
                file(process, thread).filter(file -> !files.contains(file))
                        .ifPresent(files::add);
            }
        } catch (IOException | DirectoryIteratorException e) {
            return files; // a process that ends has nothing to show
        }
        return files;
    }

    /** The call that it is in, by number and arguments: {@code 18 0x9 0x7f…} (man 5 proc). */
    private static Optional<String> file(Path process, Path thread) {
        try {
            String[] call = Files.readString(thread.resolve("syscall")).split(" ");
            if (call.length < 2 || !CALLS.contains(call[0])
                    || !Files.readString(thread.resolve("stat")).contains(") D ")) {
                return Optional.empty();
            }
            return Optional.of(Files.readSymbolicLink(process.resolve("fd")
                    .resolve(Long.toString(Long.decode(call[1])))).toString());
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }
}
