package io.pageferry.agent.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Words of others never move the cursor, change a title or hide a line. */
class OutputTest {
    private final ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();

    private Output output(boolean json) {
        return new Output(new PrintStream(stdout, true, StandardCharsets.UTF_8),
                new PrintStream(stderr, true, StandardCharsets.UTF_8), json);
    }

    @Test
    void controlCharactersAreShownAndNotObeyed() {
        output(false).note("drive \u001b[2J\u202egone");
        output(false).human("two\nlines\u0007");
        assertEquals("drive \\u001b[2J\\u202egone" + System.lineSeparator(),
                stderr.toString(StandardCharsets.UTF_8));
        assertEquals("two\nlines\\u0007" + System.lineSeparator(),
                stdout.toString(StandardCharsets.UTF_8));
    }
}
