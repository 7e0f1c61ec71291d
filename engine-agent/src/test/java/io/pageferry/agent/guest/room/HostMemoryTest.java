package io.pageferry.agent.guest.room;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The least of what host and control groups leave. */
class HostMemoryTest {
    private static final long MIB = 1 << 20;
    private static final long AGENT = 12;
    private static final long QEMU = 13;

    @TempDir
    Path proc;

    private Path mount;

    @BeforeEach
    void boot() throws IOException {
        mount = Files.createDirectories(proc.resolve("mounted"));
        Files.createDirectories(proc.resolve("self"));
        Files.writeString(proc.resolve("self/mountinfo"),
                "30 24 0:26 / " + mount + " rw - cgroup2 cgroup2 rw\n");
        Files.writeString(proc.resolve("meminfo"),
                "MemTotal: 9999999 kB\nMemAvailable:   1024000 kB\n");
        process(AGENT, "agent", "max");
        process(QEMU, "vm", "max");
    }

    private void process(long pid, String name, String max) throws IOException {
        Path group = Files.createDirectories(mount.resolve(name));
        Files.writeString(group.resolve("memory.max"), max);
        Files.writeString(group.resolve("memory.current"), "0");
        Files.writeString(group.resolve("memory.stat"), "");
        Path process = Files.createDirectories(proc.resolve("" + pid));
        Files.writeString(process.resolve("cgroup"), "0::/" + name + "\n");
    }

    private GuestException refusal(long bytes) {
        return assertThrows(GuestException.class,
                () -> HostMemory.of(proc, AGENT, QEMU).requireFor(bytes));
    }

    @Test
    void aTenthMoreThanTheDataMustFit() {
        assertDoesNotThrow(() -> HostMemory.of(proc, AGENT, QEMU).requireFor(900 * MIB));
        GuestException refusal = refusal(950 * MIB);
        assertEquals(ErrorCode.NO_ROOM, refusal.code());
        assertTrue(refusal.getMessage().contains("needs 1045 MiB")
                && refusal.getMessage().contains("1000 MiB are available on this host"),
                refusal::getMessage);
    }

    @Test
    void theLimitOfEitherProcessCounts() throws IOException {
        process(QEMU, "vm", Long.toString(200 * MIB));
        GuestException refusal = refusal(190 * MIB);
        assertTrue(refusal.getMessage().contains("200 MiB are available in the control group "
                + mount.resolve("vm") + " of process 13"), refusal::getMessage);
        assertEquals("raise its memory.max", refusal.remedy());
        process(AGENT, "agent", Long.toString(100 * MIB));
        assertTrue(refusal(190 * MIB).getMessage().contains("of process 12"));
    }
}
