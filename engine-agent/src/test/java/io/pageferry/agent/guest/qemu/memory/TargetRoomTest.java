package io.pageferry.agent.guest.qemu.memory;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.room.HostRoom;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** RAM in a tmpfs of 8 MiB, as a small /dev/shm is one. */
class TargetRoomTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path folder;

    private Path shm;

    @BeforeEach
    void mount() throws IOException {
        shm = Files.createDirectory(folder.resolve("shm"));
        String refused = run("mount", "-t", "tmpfs", "-o", "size=8m", "pageferry-test",
                shm.toString());
        Assumptions.assumeTrue(refused.isEmpty(), "no file system can be mounted: " + refused);
    }

    @AfterEach
    void unmount() throws IOException {
        assertEquals("", run("umount", shm.toString()));
    }

    private TargetRoom room(long pageSize) {
        return new TargetRoom(ProcessHandle.current().pid(), List.of(new QemuFacts.Backend("ram",
                "memory-backend-file", 64 * MIB, true, shm.resolve("vm1").toString(), pageSize)));
    }

    @Test
    void whatDoesNotFitIntoTheFileSystemIsRefused() throws IOException {
        assertDoesNotThrow(() -> room(4096).require(new HostRoom().claim(), 8 * MIB));
        GuestException refusal = assertThrows(GuestException.class,
                () -> room(4096).require(new HostRoom().claim(), 9 * MIB));
        assertEquals(ErrorCode.NO_ROOM, refusal.code());
        assertTrue(refusal.getMessage().contains("needs 9 MiB of " + shm)
                && refusal.getMessage().contains("has 8 MiB left"), refusal::getMessage);
        Files.write(shm.resolve("other"), new byte[(int) (3 * MIB)]);
        RoomClaim claim = new HostRoom().claim();
        assertThrows(GuestException.class, () -> room(4096).require(claim, 6 * MIB));
        assertTrue(room(4096).describe().contains(", 5 MiB in " + shm),
                () -> room(4096).describe());
    }

    @Test
    void hugePagesWereReservedWhenQemuStarted() {
        assertDoesNotThrow(() -> room(2 * MIB).require(new HostRoom().claim(), 64 * MIB));
    }

    /** Returns its complaint, or nothing. */
    private static String run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String words = new String(process.getInputStream().readAllBytes(),
                StandardCharsets.UTF_8);
        try {
            return process.waitFor() == 0 ? "" : words.isBlank() ? "it failed" : words.strip();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
