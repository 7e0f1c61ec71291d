package io.pageferry.agent.guest.qemu.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
        SocketFolder folder = SocketFolder.draw(pid);
        assertNotEquals(folder, SocketFolder.draw(pid));
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

    /** As in a container, or by PrivateTmp of systemd: the folder is made where QEMU sees it. */
    @Test
    void aProcessWithAnotherFileSystemIsGivenItThere() throws IOException {
        String ours = System.getProperty("java.io.tmpdir");
        Process other = new ProcessBuilder("unshare", "--mount", "sh", "-c",
                "mount -t tmpfs own " + ours + " && exec sleep 300").start();
        try {
            String root = "/proc/" + other.pid() + "/root";
            long deadline = System.nanoTime() + 60_000_000_000L;
            while (other.isAlive() && Files.isSameFile(Path.of(ours), Path.of(root + ours))
                    && System.nanoTime() - deadline < 0) {
                LockSupport.parkNanos(1_000_000);
            }
            Assumptions.assumeTrue(other.isAlive(), "only root can mount");
            SocketFolder folder = SocketFolder.draw(other.pid());
            folder.make(other.pid());
            String seen = SocketFolder.seenByQemu(folder.path());
            assertEquals(root + seen, folder.path().toString());
            assertEquals(ours, Path.of(seen).getParent().toString());
            assertTrue(Files.isDirectory(folder.path()));
            assertFalse(Files.exists(Path.of(seen)));
            folder.delete();
            assertFalse(Files.exists(folder.path()));
        } finally {
            other.destroyForcibly();
        }
    }

    /** Whose folder it is may put anything there, and gets no other file by it. */
    @Test
    void whatIsPutInAFilesPlaceIsNeitherReadNorGivenAway(@TempDir Path tmp) throws IOException {
        Path secret = Files.writeString(tmp.resolve("secret"), "secret");
        Object owner = Files.getAttribute(secret, "unix:uid");
        Assumptions.assumeTrue(owner.equals(0), "only root can give files away");
        Process nobody = ofNobody();
        SocketFolder folder = SocketFolder.draw(pid);
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
