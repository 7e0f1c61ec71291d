package io.pageferry.agent.state.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.GuestKind;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a guest is locked, and who is kept out. */
class GuestLockTest {
    @TempDir
    Path first;

    @TempDir
    Path second;

    @Test
    void whoSharesOneFolderIsKeptOut() throws IOException {
        try (GuestLock held = take(first, second).orElseThrow()) {
            assertTrue(take(second).isEmpty(), held::toString);
            assertTrue(take(first).isEmpty());
            assertEquals(1, files(first).size());
            assertEquals("rw-rw-rw-", PosixFilePermissions.toString(
                    Files.getPosixFilePermissions(files(second).getFirst())));
        }
        assertEquals(List.of(), files(first));
        try (GuestLock other = take(second).orElseThrow()) {
            assertTrue(take(first, second).isEmpty(), other::toString);
            assertEquals(List.of(), files(first));
        }
        take(first, second).orElseThrow().close();
    }

    /** A killed agent leaves it so, and it may be another user's. */
    @Test
    void aFileThatWasLeftIsLocked() throws IOException {
        take(first).orElseThrow().close();
        Path path;
        try (GuestLock held = take(first).orElseThrow()) {
            path = files(first).getFirst();
            assertTrue(take(first).isEmpty(), held::toString);
        }
        Files.createFile(path);
        try (GuestLock again = take(first).orElseThrow()) {
            assertEquals(List.of(path), files(first), again::toString);
        }
    }

    @Test
    void nothingElseThanAFileIsOpened() throws IOException {
        take(first).orElseThrow().close();
        Path path;
        try (GuestLock held = take(first).orElseThrow()) {
            path = files(first).getFirst();
            assertTrue(take(first).isEmpty(), held::toString);
        }
        Files.createSymbolicLink(path, Files.createFile(first.resolve("somebody's")));
        assertTrue(assertThrows(IOException.class, () -> take(first)).getMessage()
                .contains("no regular file"));
    }

    @Test
    void theFoldersAreThoseOfTheHost() throws IOException {
        Set<Path> all = GuestLock.folders(Map.of());
        assertFalse(all.isEmpty());
        Path own = Path.of("/run/pageferry");
        if (all.contains(own)) {
            int mode = (int) Files.getAttribute(own, "unix:mode");
            assertEquals(01777, mode & 07777);
        }
        assertEquals(Set.of(first.toRealPath()),
                GuestLock.folders(Map.of("PAGEFERRY_LOCK_DIR", first.toString())));
        Path none = first.resolve("none");
        assertTrue(assertThrows(IOException.class, () -> GuestLock.folders(
                Map.of("PAGEFERRY_LOCK_DIR", none.toString()))).getMessage()
                .contains(none.toString()));
        String guest = "test:" + UUID.randomUUID();
        try (GuestLock lock = GuestLock.tryLock(List.of(guest)).orElseThrow()) {
            assertTrue(GuestLock.tryLock(List.of(guest)).isEmpty(), lock::toString);
        }
    }

    /** A domain that leaves is locked as a process, and as the name under which one may come. */
    @Test
    void oneOfItsNamesKeepsItOut() throws IOException {
        Map<String, String> domain = Map.of(GuestKind.PLACE, "libvirt:web");
        assertEquals(List.of("process:1:2", "libvirt:web"),
                GuestLock.identities("process:1:2", domain));
        assertEquals(List.of(), GuestLock.identities(null, Map.of()));
        try (GuestLock comes = takeAs("libvirt:web").orElseThrow()) {
            assertTrue(takeAs("process:1:2", "libvirt:web").isEmpty(), comes::toString);
            assertEquals(1, files(first).size(), "what was locked before is given back");
            takeAs("process:1:2").orElseThrow().close();
        }
        try (GuestLock leaves = takeAs("process:1:2", "libvirt:web").orElseThrow()) {
            assertTrue(takeAs("libvirt:web").isEmpty(), leaves::toString);
            assertTrue(takeAs("process:1:2").isEmpty());
        }
        assertEquals(List.of(), files(first));
    }

    private Optional<GuestLock> takeAs(String... identities) throws IOException {
        return GuestLock.tryLock(List.of(identities), Set.of(first));
    }

    private static Optional<GuestLock> take(Path... folders) throws IOException {
        return GuestLock.tryLock(List.of("process:1:2"),
                new LinkedHashSet<>(List.of(folders)));
    }

    private static List<Path> files(Path folder) throws IOException {
        List<Path> all = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            files.forEach(all::add);
        }
        return all;
    }
}
