package io.pageferry.agent.guest.qemu.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
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

    @Test
    void whatIsThereAlreadyIsNotTaken(@TempDir Path tmp) throws IOException {
        Path link = Files.createSymbolicLink(tmp.resolve("link"), tmp.resolve("elsewhere"));
        assertThrows(GuestException.class, () -> new SocketFolder(link).make(pid));
    }
}
