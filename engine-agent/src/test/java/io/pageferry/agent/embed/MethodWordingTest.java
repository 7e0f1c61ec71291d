package io.pageferry.agent.embed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.pageferry.core.outgoing.session.Wording.Limit;
import io.pageferry.core.outgoing.session.Wording.Remedy;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** An embedder is told of methods, not of options that his program does not have. */
class MethodWordingTest {
    private final MethodWording wording = new MethodWording();

    @Test
    void aLimitIsNamedByItsField() {
        assertEquals("MigrationLimits.timeoutNanos", wording.name(Limit.TIMEOUT));
        assertEquals("MigrationLimits.maxSwitchoverNanos", wording.name(Limit.MAX_SWITCHOVER));
    }

    @Test
    void aRemedyNamesNoCommand() {
        for (Remedy remedy : Remedy.values()) {
            String advice = wording.advice(remedy, new UUID(1, 2));
            assertFalse(advice.contains("pageferry ") || advice.contains("--"), advice);
        }
    }
}
