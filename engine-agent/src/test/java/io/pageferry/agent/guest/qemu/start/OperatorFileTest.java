package io.pageferry.agent.guest.qemu.start;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OperatorFileTest {
    private static final int SOMEBODY = 12345;
    private static final byte[] CONTENT = {1, 2, 3};

    @TempDir
    Path temporary;

    private Path folder;
    private Path file;

    @BeforeEach
    void make() throws IOException {
        folder = Files.createDirectory(temporary.resolve("folder"));
        file = Files.write(folder.resolve("start"), CONTENT);
        rights(folder, "rwxr-xr-x");
        rights(file, "rw-r--r--");
    }

    private static void rights(Path path, String rights) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(rights));
    }

    private static void give(Path path, int user) throws IOException {
        Assumptions.assumeTrue(Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS)
                .equals(0), "only root gives a file to another user");
        Files.setAttribute(path, "unix:uid", user, LinkOption.NOFOLLOW_LINKS);
    }

    private static String refusal(Path path) {
        GuestException refused = assertThrows(GuestException.class,
                () -> OperatorFile.read(path));
        assertTrue(refused.getMessage().startsWith("--start " + path + ": "),
                refused.getMessage());
        assertTrue(!refused.remedy().isEmpty());
        return refused.getMessage();
    }

    @Test
    void aFileOfOnesOwnIsRead() throws IOException {
        assertArrayEquals(CONTENT, OperatorFile.read(file));
    }

    @Test
    void oneThatOthersMayWriteIsRefused() throws IOException {
        rights(file, "rw-rw-r--");
        assertTrue(refusal(file).contains("other users may write to it"));
        rights(file, "rw-r---w-");
        assertTrue(refusal(file).contains("other users may write to it"));
    }

    @Test
    void oneInAFolderInWhichOthersMayReplaceItIsRefused() throws IOException {
        rights(folder, "rwxrwxrwx");
        assertTrue(refusal(file).contains("other users may write to " + folder));
        Files.setAttribute(folder, "unix:mode", 01777);
        assertArrayEquals(CONTENT, OperatorFile.read(file));
        Path inner = Files.createDirectory(folder.resolve("inner"));
        Path deep = Files.write(inner.resolve("start"), CONTENT);
        Files.setAttribute(folder, "unix:mode", 0777);
        assertTrue(refusal(deep).contains("other users may write to " + folder));
    }

    @Test
    void oneOfAnotherUserIsRefused() throws IOException {
        give(file, SOMEBODY);
        assertTrue(refusal(file).contains("belongs to user " + SOMEBODY));
        assertArrayEquals(CONTENT, OperatorFile.read(file, SOMEBODY));
    }

    @Test
    void oneInAFolderOfAnotherUserIsRefused() throws IOException {
        give(folder, SOMEBODY);
        assertTrue(refusal(file).contains(folder + " belongs to user " + SOMEBODY));
        assertArrayEquals(CONTENT, OperatorFile.read(file, SOMEBODY));
    }

    @Test
    void rootsFileIsReadByEverybody() throws IOException {
        Assumptions.assumeTrue(Files.getAttribute(file, "unix:uid").equals(0), "not root");
        assertArrayEquals(CONTENT, OperatorFile.read(file, SOMEBODY));
    }

    @Test
    void aLinkIsFollowedWhereNobodyElseCanTurnIt() throws IOException {
        Path link = Files.createSymbolicLink(temporary.resolve("link"), Path.of("folder"));
        assertArrayEquals(CONTENT, OperatorFile.read(link.resolve("start")));
        assertArrayEquals(CONTENT, OperatorFile.read(link.resolve("../folder/./start")));
        Path loop = temporary.resolve("loop");
        Files.createSymbolicLink(loop, loop);
        assertTrue(refusal(loop).contains("too many symbolic links"));
        give(link, SOMEBODY);
        assertTrue(refusal(link.resolve("start")).contains(link + " belongs to user"));
    }

    @Test
    void whatIsNoFileOrTooLargeIsRefused() throws IOException {
        assertTrue(refusal(temporary.resolve("missing")).contains("is not there"));
        assertTrue(refusal(folder).contains("no regular file"));
        Files.write(file, new byte[(1 << 20) + 1]);
        assertTrue(refusal(file).contains("more than 1048576 bytes"));
        Files.write(file, new byte[1 << 20]);
        assertEquals(1 << 20, OperatorFile.read(file).length);
    }
}
