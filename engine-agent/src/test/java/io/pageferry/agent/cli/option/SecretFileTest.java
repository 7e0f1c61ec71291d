package io.pageferry.agent.cli.option;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.transport.netty.SharedSecret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which files of {@code --token-file} are taken. */
class SecretFileTest {
    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("secret");
    }

    private void write(String text, String rights) throws IOException {
        Files.deleteIfExists(file);
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(rights));
    }

    private void assertRefused(String words) {
        UsageException e = assertThrows(UsageException.class, () -> SecretFile.read(file));
        assertTrue(e.getMessage().startsWith("--token-file " + file + ": "), e.getMessage());
        assertTrue(e.getMessage().contains(words), e.getMessage());
    }

    private static byte[] proof(SharedSecret secret) {
        return secret.proof(true, new byte[32], new byte[32]);
    }

    private static SharedSecret of(String text) {
        return new SharedSecret(text.getBytes(StandardCharsets.UTF_8));
    }

    /** With an editor or with printf: the secret is the same. One line end only. */
    @Test
    void aFinalLineEndIsNoPartOfIt() throws IOException {
        String text = "0123456789abcdef";
        for (String end : new String[] {"", "\n"}) {
            write(text + end, "rw-------");
            assertArrayEquals(proof(of(text)), proof(SecretFile.read(file)));
        }
        write(text + "\n\n", "r--------");
        assertArrayEquals(proof(of(text + "\n")), proof(SecretFile.read(file)));
        write("x".repeat(1024) + "\n", "rw-------");
        assertArrayEquals(proof(of("x".repeat(1024))), proof(SecretFile.read(file)));
    }

    @ParameterizedTest
    @CsvSource({"0, it has 0 bytes", "15, it has 15 bytes", "1025, it has more than 1024",
        "100000, it has more than 1024"})
    void lengthsAreLimited(int length, String words) throws IOException {
        write("x".repeat(length) + "\n", "rw-------");
        assertRefused(words);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-r-----", "rw--w----", "rw-----w-", "rw------x", "rw-r--r--"})
    void rightsOfOthersAreRefused(String rights) throws IOException {
        write("0123456789abcdef", rights);
        assertRefused("chmod 600 " + file);
    }

    @Test
    void whatIsNoRegularFileIsRefused() throws IOException {
        assertRefused("there is no such file");
        Path other = folder.resolve("other");
        Files.writeString(other, "0123456789abcdef");
        Files.setPosixFilePermissions(other, PosixFilePermissions.fromString("rw-------"));
        Files.createSymbolicLink(file, other);
        assertRefused("is no regular file");
        Files.delete(file);
        Files.createDirectory(file);
        assertRefused("is no regular file");
    }
}
