package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The locks that the kernel knows of, see proc_locks(5). */
final class KernelLocks {
    private KernelLocks() {
    }

    /** Says that a process holds the file's lock at this moment. */
    static void assertHeld(long pid, Path file, Object after) throws IOException {
        assertTrue(Files.exists(file), () -> file + " is not there after " + after);
        List<String> all = Files.readAllLines(Path.of("/proc/locks"));
        String end = ":" + Files.getAttribute(file, "unix:ino");
        assertTrue(all.stream().map(line -> line.split("\\s+")).anyMatch(fields ->
                fields[3].equals("WRITE") && fields[4].equals(Long.toString(pid))
                && fields[5].endsWith(end)),
                () -> pid + " does not hold " + file + end + " after " + after + ": " + all);
    }
}
