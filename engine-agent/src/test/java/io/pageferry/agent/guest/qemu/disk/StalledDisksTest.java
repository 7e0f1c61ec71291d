package io.pageferry.agent.guest.qemu.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which disk a QEMU waits for, as the kernel's files show it. */
class StalledDisksTest {
    private static final long PID = 7;

    @TempDir
    Path proc;

    private static QemuFacts.Drive drive(String name, String file) {
        return new QemuFacts.Drive(name, name, file, "raw", 1 << 20, false, false, false);
    }

    private final List<QemuFacts.Drive> drives =
            List.of(drive("d0", "/images/a"), drive("d1", "/images/b"), drive("cd", ""));

    private Path process(String state) throws IOException {
        Path process = Files.createDirectories(proc.resolve(Long.toString(PID)));
        Files.createDirectories(process.resolve("task"));
        Files.createDirectories(process.resolve("fd"));
        Files.writeString(process.resolve("status"), "Name:\tqemu\nState:\t" + state + "\n");
        return process;
    }

    private static void thread(Path process, int id, String state, String call)
            throws IOException {
        Path thread = Files.createDirectories(process.resolve("task/" + id));
        Files.writeString(thread.resolve("stat"), id + " (qemu-system-x86) " + state + " 1 2\n");
        Files.writeString(thread.resolve("syscall"), call + "\n");
    }

    private String words(List<QemuFacts.Drive> of) {
        return StalledDisks.describe(proc, PID, of);
    }

    @Test
    void aThreadThatIsHeldNamesItsFile() throws IOException {
        Path process = process("S (sleeping)");
        Files.createSymbolicLink(process.resolve("fd/9"), Path.of("/images/b"));
        Files.createSymbolicLink(process.resolve("fd/8"), Path.of("/images/a"));
        thread(process, 7, "S", "271 0x1 0x2");
        thread(process, 8, "R", "running");
        thread(process, 9, "S", "17 0x8 0x7f00");
        thread(process, 10, "D", "18 0x9 0x7f00");
        assertEquals("the storage of disk d1 (/images/b) does not answer", words(drives));
        assertEquals("the storage of /images/b does not answer", words(drives.subList(0, 1)));
    }

    @Test
    void withoutOneTheOnlyDiskIsNamedOrAllAre() throws IOException {
        process("S (sleeping)");
        assertEquals("the storage of disk d0 (/images/a) does not answer",
                words(List.of(drives.getFirst(), drives.getLast())));
        assertEquals("the storage of one of its disks does not answer (d0 (/images/a),"
                + " d1 (/images/b))", words(drives));
        assertEquals("it hangs", words(List.of()));
    }

    @Test
    void oneThatWasStoppedIsTold() throws IOException {
        process("T (stopped)");
        assertEquals("it was stopped by a signal (kill -CONT 7)", words(drives));
    }
}
