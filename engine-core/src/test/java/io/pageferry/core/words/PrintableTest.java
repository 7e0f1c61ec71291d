package io.pageferry.core.words;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

/** A peer's words cannot move the cursor, colour the terminal or begin a line of their own. */
class PrintableTest {
    @Test
    void plainTextStaysTheSameObject() {
        for (String text : new String[] {"", "gästu \\ 中 \uD83D\uDEA2"}) {
            assertSame(text, Printable.of(text));
        }
    }

    @Test
    void whatATerminalObeysIsEscaped() {
        String hostile = new String(new int[] {'a', 0x1b, '[', '3', '1', 'm', '\n', 0, 0x9b, 0x202e,
                0x2028, 'z'}, 0, 12);
        assertEquals("a\\u001b[31m\\u000a\\u0000\\u009b\\u202e\\u2028z", Printable.of(hostile));
        assertEquals("\\ud83d alone", Printable.of("\uD83D alone"));
        assertEquals("\\u000d\uD83D\uDEA2", Printable.of("\r\uD83D\uDEA2"));
    }
}
