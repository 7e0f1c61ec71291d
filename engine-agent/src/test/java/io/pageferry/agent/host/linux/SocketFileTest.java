package io.pageferry.agent.host.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of what is at the path of a socket. */
class SocketFileTest {
    private static final int STRANGER = 65_534;

    @TempDir
    private Path folder;

    private Path path;

    @BeforeEach
    void name() {
        path = folder.resolve("agent.sock");
    }

    private ServerSocketChannel listen() throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(path));
    }

    private void assertRefused(String words) {
        IOException e = assertThrows(IOException.class, () -> SocketFile.free(path));
        assertTrue(e.getMessage().contains(words), e.getMessage());
        assertTrue(e.getMessage().startsWith("cannot listen on " + path + ": "), e.getMessage());
    }

    private List<Path> files() throws IOException {
        try (var all = Files.list(folder)) {
            return all.toList();
        }
    }

    @Test
    void itIsTheOwnersAloneAndGoneAtTheEnd() throws IOException {
        SocketFile file = SocketFile.free(path);
        try (ServerSocketChannel server = listen()) {
            file.made();
            assertEquals("rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
            file.close();
            assertEquals(List.of(), files());
            assertTrue(server.isOpen());
        }
        file.close();
    }

    /** Or nobody's agent would start: in /run/pageferry each user may make files. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatAnotherUserPutThereIsReplaced(boolean listens) throws IOException {
        Files.setAttribute(folder, "unix:mode", 01777);
        try (ServerSocketChannel _ = listens ? listen() : null) {
            if (!listens) {
                Files.createFile(path);
            }
            Files.setAttribute(path, "unix:uid", STRANGER);
            assertFalse(PrivateFiles.isOfRootOrSelf(path));
            SocketFile file = SocketFile.free(path);
            assertEquals(List.of(), files());
            try (ServerSocketChannel server = listen()) {
                file.made();
                assertTrue(server.isOpen() && PrivateFiles.isOfRootOrSelf(path));
            }
            file.close();
        }
    }

    @Test
    void oneThatWasLeftIsReplaced() throws IOException {
        listen().close();
        assertTrue(Files.exists(path));
        SocketFile file = SocketFile.free(path);
        assertEquals(List.of(), files());
        try (ServerSocketChannel server = listen()) {
            file.made();
            assertTrue(server.isOpen());
        }
        file.close();
        assertEquals(List.of(), files());
    }

    @Test
    void oneThatIsListenedOnStays() throws IOException {
        try (ServerSocketChannel server = listen()) {
            assertRefused("in use");
            assertTrue(server.isOpen());
            assertEquals(List.of(path), files());
        }
    }

    /** Its queue is full: to connect would wait for ever. */
    @Test
    void oneThatAnswersNobodyIsInUseToo() throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(path), 1)) {
            for (int i = 0; i < 4; i++) {
                assertRefused("in use");
            }
            assertTrue(server.isOpen());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "folder", "link", "dangling"})
    void whatIsNoSocketStays(String kind) throws IOException {
        Path other = folder.resolve("other");
        switch (kind) {
            case "file" -> Files.writeString(path, "of value");
            case "folder" -> Files.createDirectory(path);
            default -> Files.createSymbolicLink(path, other);
        }
        if (kind.equals("link")) {
            Files.writeString(other, "of value");
        }
        assertRefused("something else than a socket");
        assertTrue(Files.exists(path, LinkOption.NOFOLLOW_LINKS));
    }

    @Test
    void aFolderThatOthersMayWriteToIsRefused() throws IOException {
        for (String rights : List.of("rwx-w----", "rwxrwxrwx")) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString(rights));
            assertRefused("other users may write to " + folder);
        }
        path = folder.resolve("nosuch/agent.sock");
        assertRefused("there is no such folder");
    }

    /** Another agent listens there by now: its socket is not ours to delete. */
    @Test
    void onlyTheOwnIsDeleted() throws IOException {
        SocketFile file = SocketFile.free(path);
        try (ServerSocketChannel ours = listen()) {
            file.made();
            Files.delete(path);
            try (ServerSocketChannel theirs = listen()) {
                file.close();
                assertTrue(Files.exists(path));
                assertTrue(ours.isOpen() && theirs.isOpen());
            }
        }
        SocketFile never = SocketFile.free(path);
        assertFalse(Files.exists(path));
        never.close();
    }
}
