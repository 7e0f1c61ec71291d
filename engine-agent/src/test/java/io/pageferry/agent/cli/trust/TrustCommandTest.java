package io.pageferry.agent.cli.trust;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.trust.JoinToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class TrustCommandTest {
    private final InputStream stdin = System.in;

    @TempDir
    private Path folder;

    @AfterEach
    void giveStdinBack() {
        System.setIn(stdin);
    }

    private void join(String input) throws IOException {
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.US_ASCII)));
        CommandLine.populateCommand(new TrustCommand(), "join", "-", "--dir",
                folder.resolve("trust").toString()).call();
    }

    /** Nobody listens there: it was read, then. */
    @Test
    void joinReadsTheTokenFromStdin() {
        JoinToken token = new JoinToken(new byte[8], new byte[16], new byte[32], "127.0.0.1:1");
        IOException failed = assertThrows(IOException.class,
                () -> join(token.text() + "\nnot of it\n"));
        assertTrue(failed.getMessage().contains("127.0.0.1:1"), failed::getMessage);
    }

    @Test
    void whereNothingComesItSaysSo() {
        assertTrue(assertThrows(UsageException.class, () -> join("")).getMessage()
                .contains("no TOKEN came on stdin"));
    }
}
