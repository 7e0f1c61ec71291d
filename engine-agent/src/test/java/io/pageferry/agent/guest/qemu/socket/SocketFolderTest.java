package io.pageferry.agent.guest.qemu.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketFolderTest {
    private final long pid = ProcessHandle.current().pid();

    @Test
    void nobodyKnowsItsNameAndNobodyElseMayEnter() throws IOException {
        SocketFolder folder = SocketFolder.draw();
        assertNotEquals(folder, SocketFolder.draw());
        assertFalse(Files.exists(folder.path()));
        try {
            folder.make(pid);
            folder.make(pid);
            assertEquals("rwx------", PosixFilePermissions.toString(
                    Files.getPosixFilePermissions(folder.path())));
            Files.createFile(folder.socket("out"));
        } finally {
            Map<String, String> address = new HashMap<>();
            folder.putInto(address);
            SocketFolder.of(address).orElseThrow().delete();
        }
        assertFalse(Files.exists(folder.path()));
        folder.delete();
    }

    /** Whose folder it is may put anything there, and gets no other file by it. */
    @Test
    void whatIsPutInAFilesPlaceIsNeitherReadNorGivenAway(@TempDir Path tmp) throws IOException {
        Path secret = Files.writeString(tmp.resolve("secret"), "secret");
        Object owner = Files.getAttribute(secret, "unix:uid");
        Assumptions.assumeTrue(owner.equals(0), "only root can give files away");
        Process nobody = ofNobody();
        SocketFolder folder = SocketFolder.draw();
        try (FileChannel file = folder.file("state", pid)) {
            Files.delete(folder.socket("state"));
            Files.createSymbolicLink(folder.socket("state"), secret);
            assertEquals(0, file.size());
            assertThrows(FileAlreadyExistsException.class, () -> folder.file("state", pid));
            QemuSocket.give(folder.socket("state"), nobody.pid());
            assertEquals(owner, Files.getAttribute(secret, "unix:uid"));
            assertNotEquals(owner, Files.getAttribute(folder.socket("state"), "unix:uid",
                    LinkOption.NOFOLLOW_LINKS));
        } finally {
            nobody.destroyForcibly();
            folder.delete();
        }
        assertEquals("secret", Files.readString(secret));
    }

    /** A process that is nobody's by the time this returns. */
    private static Process ofNobody() throws IOException {
        Process process = new ProcessBuilder("setpriv", "--reuid=65534", "sleep", "300").start();
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (!Files.readString(Path.of("/proc/" + process.pid() + "/status"))
                .matches("(?s).*Uid:(\\s65534){4}.*") && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(1_000_000);
        }
        return process;
    }

    @Test
    void whatIsThereAlreadyIsNotTaken(@TempDir Path tmp) throws IOException {
        Path link = Files.createSymbolicLink(tmp.resolve("link"), tmp.resolve("elsewhere"));
        assertThrows(GuestException.class, () -> new SocketFolder(link).make(pid));
    }
}
