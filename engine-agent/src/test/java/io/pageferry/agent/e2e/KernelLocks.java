package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The locks that the kernel knows of, see proc_locks(5). */
final class KernelLocks {
    private KernelLocks() {
    }

    /** Says that a process holds the file's lock at this moment. */
    static void assertHeld(long pid, Path file, Object after) throws IOException {
        assertTrue(Files.exists(file), () -> file + " is not there after " + after);
        assertTrue(isHeld(pid, file), () -> pid + " does not hold " + file + " after " + after);
    }

    /** The lock of the guest that a process holds, among those in a folder. */
    static Path ofGuest(long pid, Path folder) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder,
                "pageferry-guest-*.lock")) {
            for (Path one : all) {
                if (isHeld(pid, one)) {
                    return one;
                }
            }
        }
        throw new AssertionError(pid + " holds no lock of a guest in " + folder);
    }

    private static boolean isHeld(long pid, Path file) throws IOException {
        String end = ":" + Files.getAttribute(file, "unix:ino");
        return Files.readAllLines(Path.of("/proc/locks")).stream()
                .map(line -> line.split("\\s+"))
                .anyMatch(fields -> fields[3].equals("WRITE")
                        && fields[4].equals(Long.toString(pid)) && fields[5].endsWith(end));
    }
}
