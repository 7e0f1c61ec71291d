package io.pageferry.agent.session;

import io.pageferry.agent.report.Report;
import io.pageferry.agent.state.guard.GuardException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.transport.TransportException;
import java.io.IOException;

/**
 * How an agent's work ended.
 *
 * @param outcome how it ended
 * @param report  the report
 */
public record AgentResult(Outcome outcome, Report report) {
    /** Makes the result of a migration that never began. */
    static AgentResult ofNothing(Side side, Outcome outcome) {
        return new AgentResult(outcome,
                Report.ofNothing(side, outcome));
    }

    /** Makes the result of a target that could not be opened, or was stopped while it opened. */
    static AgentResult notOpened(IOException failure) {
        return failure instanceof GuestException known && known.code() == ErrorCode.CANCELLED
                ? ofNothing(Side.TARGET, Outcome.of(Result.CANCELLED, ErrorCode.CANCELLED,
                        failure.getMessage(), Side.TARGET))
                : refused(Side.TARGET, failure);
    }

    /**
     * Makes the result of a migration that cannot begin.
     *
     * @param side    that says so
     * @param failure why
     * @return the result, refused
     */
    public static AgentResult refused(Side side, IOException failure) {
        return ofNothing(side, switch (failure) {
            case GuestException e -> refused(side, e.code(), e, e.remedy());
            case GuardException e -> refused(side, ErrorCode.HOST_FAILED, e, e.remedy());
            case TransportException e when side == Side.SOURCE -> refused(Side.TARGET, e.code(), e,
                    "start pageferry receive there, and look at address and port, and with TLS at"
                            + " the certificates of both sides");
            case TransportException e -> refused(side, e.code(), e, "choose another --listen");
            default -> refused(side, ErrorCode.HOST_FAILED, failure, "look at --state-dir");
        });
    }

    private static Outcome refused(Side side, ErrorCode code, IOException failure, String remedy) {
        return Outcome.of(Result.REFUSED, code, failure.getMessage(), side).withRemedy(remedy);
    }
}
