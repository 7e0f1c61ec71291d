package io.pageferry.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.report.Output;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class EndingTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @Test
    void verboseShowsWhereAFailureCameFrom() {
        Outcome outcome = Outcome.of(Result.BUG, ErrorCode.INTERNAL, "a bug", Side.SOURCE)
                .causedBy(new IllegalStateException("deep below"));

        assertEquals(70, end(outcome, true));
        assertTrue(err.toString().contains("java.lang.IllegalStateException: deep below\n\tat "
                + EndingTest.class.getName()), err.toString());
        assertFalse(out.toString().contains("deep below"), out.toString());
    }

    @Test
    void nobodyElseSeesAStack() {
        Outcome outcome = Outcome.of(Result.BUG, ErrorCode.INTERNAL, "a bug", Side.SOURCE)
                .causedBy(new IllegalStateException("deep below"));

        assertEquals(70, end(outcome, false));
        assertFalse(err.toString().contains("\tat "), err.toString());
        assertEquals(0, end(Outcome.completed(), true));
        assertFalse(err.toString().contains("\tat "), err.toString());
    }

    private int end(Outcome outcome, boolean verbose) {
        return Ending.of(new Output(new PrintStream(out, true), new PrintStream(err, true), true),
                verbose, new AgentResult(outcome, Report.ofNothing(Side.SOURCE, outcome)));
    }
}
