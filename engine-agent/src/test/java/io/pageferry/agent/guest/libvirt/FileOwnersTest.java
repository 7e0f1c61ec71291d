package io.pageferry.agent.guest.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileOwnersTest {
    private static final String NOBODY = "65534:65534";
    private static final String ROOT = "0:0";

    @TempDir
    Path folder;

    /** As after a move, when the source's libvirt gave the disk to root. */
    @Test
    void putsBackWhoseAFileWas() throws IOException {
        Path disk = disk("disk", NOBODY);
        Path gone = disk("gone", NOBODY);
        Path link = Files.createSymbolicLink(folder.resolve("link"), disk);
        FileOwners owners = FileOwners.of(List.of(link.toString(), gone.toString(), "nothing"));
        Map<String, String> journal = new HashMap<>(Map.of("domain", "web"));
        owners.putInto(journal);
        assertEquals(owners, FileOwners.of(journal));
        give(disk, ROOT);
        Files.delete(gone);
        FileOwners.of(journal).restore();
        assertEquals(NOBODY, owner(disk));
    }

    /** As before a move, when another one's target gave the disk to root. */
    @Test
    void whatAQemuWritesToIsItsOwn() throws IOException {
        Path written = disk("written", NOBODY);
        Path read = disk("read", ROOT);
        Path other = disk("other", ROOT);
        Process qemu = new ProcessBuilder("setpriv", "--reuid=65534", "--regid=65534",
                "--clear-groups", "sh", "-c", "exec 3<> \"$0\" 4< \"$1\"; echo ready; exec cat",
                written.toString(), read.toString()).redirectErrorStream(true).start();
        try {
            assertEquals("ready\n", new String(qemu.getInputStream().readNBytes(6),
                    StandardCharsets.UTF_8));
            give(written, ROOT);
            FileOwners.of(List.of(written.toString(), read.toString(), other.toString()))
                    .writtenBy(qemu.pid()).restore();
            assertEquals(List.of(NOBODY, ROOT, ROOT),
                    List.of(owner(written), owner(read), owner(other)));
        } finally {
            qemu.destroyForcibly();
        }
    }

    private Path disk(String name, String owner) throws IOException {
        Assumptions.assumeTrue(owner(folder).equals(ROOT), "only root gives files away");
        Files.setAttribute(folder, "unix:mode", 0755);
        Path disk = Files.createFile(folder.resolve(name));
        Files.setAttribute(disk, "unix:mode", 0644);
        give(disk, owner);
        return disk;
    }

    private static void give(Path file, String owner) throws IOException {
        String[] ids = owner.split(":");
        Files.setAttribute(file, "unix:uid", Integer.valueOf(ids[0]));
        Files.setAttribute(file, "unix:gid", Integer.valueOf(ids[1]));
    }

    private static String owner(Path file) throws IOException {
        return Files.getAttribute(file, "unix:uid") + ":" + Files.getAttribute(file, "unix:gid");
    }
}
