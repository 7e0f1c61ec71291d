package io.pageferry.agent.guest.qemu.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketFolderTest {
    private static final int NOBODY = 65534;

    private final long pid = ProcessHandle.current().pid();

    @Test
    void nobodyKnowsItsNameAndNobodyElseMayEnter() throws IOException {
        SocketFolder folder = SocketFolder.draw(pid);
        assertNotEquals(folder, SocketFolder.draw(pid));
        assertFalse(Files.exists(folder.path()));
        try {
            folder.make(pid);
            folder.make(pid);
            assertEquals("rwx------", mode(folder.path()));
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

    /** Another user's QEMU can pass through, write what was made for it, and no more. */
    @Test
    void anotherUsersQemuIsGivenWhatIsInItAndNotTheFolder() throws IOException {
        asNobody((folder, nobody) -> {
            folder.file("state", nobody).close();
            Path given = folder.given("in", nobody).getParent();
            assertEquals("rwx--x--x", mode(folder.path()));
            assertEquals("rw-------", mode(folder.socket("state")));
            assertEquals("rwx------", mode(given));
            assertEquals(0, owner(folder.path()));
            String path = folder.path().toString();
            assertEquals(0, runAsNobody("echo saved > " + path + "/state"));
            assertEquals("saved\n", Files.readString(folder.socket("state")));
            assertEquals(0, runAsNobody("ln -s /etc " + given + "/in && mkdir " + given + "/a"));
            for (String forbidden : List.of("mv " + path + " " + path + "-away",
                    "ln -s /etc " + path + "/link", "mv " + given + " " + path + "/away",
                    "rm -f " + path + "/state", "ls " + path)) {
                assertNotEquals(0, runAsNobody(forbidden), forbidden);
            }
            try (ServerSocketChannel listener =
                    QemuSocket.open(folder.socket("out"), nobody)) {
                assertTrue(listener.isOpen());
                assertEquals("rw-------", mode(folder.socket("out")));
                assertEquals(NOBODY, owner(folder.socket("out")));
            }
            assertEquals(0, runAsNobody("rmdir " + given + "/a"));
        });
    }

    /** As root it would connect to, or delete, what the link names. */
    @Test
    void onlyASocketOfQemusUserIsTaken(@TempDir Path tmp) throws IOException {
        Path others = tmp.resolve("others");
        asNobody((folder, nobody) -> {
            Path place = folder.given("in", nobody);
            try (ServerSocketChannel listener =
                    ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                listener.bind(UnixDomainSocketAddress.of(others));
                Files.createSymbolicLink(place, others);
                assertThrows(IOException.class, () -> folder.take("in", nobody));
                assertTrue(Files.exists(others));
                Files.createLink(place, others);
                assertThrows(IOException.class, () -> folder.take("in", nobody));
                QemuSocket.give(others, nobody);
                Files.createLink(place, others);
                assertEquals(folder.socket("in"), folder.take("in", nobody));
                assertFalse(Files.exists(place));
            }
        });
    }

    /** The folder was taken away, and a link is where it was. */
    @Test
    void aLinkInItsPlaceIsNeitherEnteredNorEmptied(@TempDir Path tmp) throws IOException {
        SocketFolder folder = new SocketFolder(tmp.resolve("folder"));
        Path victim = Files.createDirectory(tmp.resolve("victim"));
        Path kept = Files.writeString(victim.resolve("kept"), "kept");
        folder.make(pid);
        Files.move(folder.path(), tmp.resolve("away"));
        Files.createSymbolicLink(folder.path(), victim);
        assertThrows(GuestException.class, () -> folder.make(pid));
        assertThrows(GuestException.class, () -> folder.file("state", pid));
        assertThrows(GuestException.class, () -> folder.given("in", pid));
        folder.delete();
        assertTrue(Files.isSymbolicLink(folder.path()));
        assertEquals("kept", Files.readString(kept));
        assertEquals(List.of("kept"), List.of(victim.toFile().list()));
    }

    @Test
    void aFolderThatOthersMayWriteIsRefused(@TempDir Path tmp) throws IOException {
        SocketFolder folder = new SocketFolder(tmp.resolve("folder"));
        folder.make(pid);
        Files.setPosixFilePermissions(folder.path(),
                PosixFilePermissions.fromString("rwx--x-wx"));
        assertThrows(GuestException.class, () -> folder.make(pid));
    }

    @Test
    void aLinkInItIsDeletedAndNotWhatItNames(@TempDir Path tmp) throws IOException {
        SocketFolder folder = new SocketFolder(tmp.resolve("folder"));
        Path victim = Files.createDirectory(tmp.resolve("victim"));
        Path kept = Files.writeString(victim.resolve("kept"), "kept");
        Files.createSymbolicLink(folder.given("in", pid), kept);
        Files.createSymbolicLink(folder.given("nbd", pid), victim);
        folder.file("state", pid).close();
        assertThrows(GuestException.class, () -> folder.file("state", pid));
        folder.delete();
        assertFalse(Files.exists(folder.path(), LinkOption.NOFOLLOW_LINKS));
        assertEquals("kept", Files.readString(kept));
    }

    @FunctionalInterface
    private interface Body {
        void run(SocketFolder folder, long nobody) throws IOException;
    }

    private static void asNobody(Body body) throws IOException {
        Path tmp = Path.of(System.getProperty("java.io.tmpdir"));
        Assumptions.assumeTrue(Files.isWritable(Path.of("/etc/passwd")),
                "only root can give files away");
        Process nobody = ofNobody();
        SocketFolder folder = SocketFolder.draw(nobody.pid());
        try {
            assertEquals(tmp, folder.path().getParent());
            body.run(folder, nobody.pid());
        } finally {
            nobody.destroyForcibly();
            folder.delete();
        }
        assertFalse(Files.exists(folder.path()));
    }

    private static int runAsNobody(String script) throws IOException {
        try {
            return new ProcessBuilder("setpriv", "--reuid=" + NOBODY, "--clear-groups",
                    "--bounding-set=-all", "sh", "-c", script)
                    .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start().waitFor();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private static Object owner(Path file) throws IOException {
        return Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS);
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
