package io.pageferry.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.cli.option.OptionWording;
import io.pageferry.core.outgoing.session.Wording.Limit;
import io.pageferry.core.outgoing.session.Wording.Remedy;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The words by which the commands name limits and remedies: people and scripts know them. */
class WordingTest {
    private static final UUID ID = new UUID(1, 2);

    private final OptionWording wording = new OptionWording();

    @Test
    void aLimitIsNamedByItsOption() {
        assertEquals("--timeout", wording.name(Limit.TIMEOUT));
        assertEquals("--max-switchover", wording.name(Limit.MAX_SWITCHOVER));
    }

    @Test
    void aRemedyNamesTheCommand() {
        String settle = "pageferry settle 00000000-0000-0001-0000-000000000002";
        assertEquals(settle + " asks again; when the target is certain to be off: " + settle
                + " --source --target-is-fenced", wording.advice(Remedy.ASK_TARGET, ID));
        assertEquals("free what holds it, then: " + settle,
                wording.advice(Remedy.FREE_GUEST, ID));
    }
}
