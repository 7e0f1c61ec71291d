package io.pageferry.agent.session;

import io.pageferry.agent.report.Report;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Side;

/**
 * How an agent's work ended.
 *
 * @param outcome how it ended
 * @param report  the report
 */
public record AgentResult(Outcome outcome, Report report) {
    /**
     * Makes a result of work that never began.
     *
     * @param side    whose work it was
     * @param outcome how it ended
     * @return the result
     */
    public static AgentResult ofNothing(Side side, Outcome outcome) {
        return new AgentResult(outcome, Report.ofNothing(side, outcome));
    }
}
