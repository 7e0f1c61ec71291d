package io.pageferry.agent.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.client.ApiException;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Comparator;
import java.util.List;

/** The end of a command: its report, then its exit code. */
final class Ending {
    static final int USAGE = 2;

    /** From good to bad, by what somebody has to do about it. */
    private static final List<Result> WORSE = List.of(Result.COMPLETED, Result.CANCELLED,
            Result.REFUSED, Result.FAILED, Result.GUEST_ENDED, Result.FAILED_AT_TARGET,
            Result.IN_DOUBT, Result.BUG);

    private Ending() {
    }

    /** Reports an end; {@code verbose} shows where a failure came from too. */
    static int of(Output output, boolean verbose, AgentResult result) {
        output.emit(result.report().json());
        if (!output.isJson()) {
            result.report().lines().forEach(output::human);
        } else if (result.outcome().result() != Result.COMPLETED) {
            output.note(line(result.outcome()));
        }
        if (verbose && result.outcome().cause() != null) {
            output.note(stack(result.outcome().cause()));
        }
        return result.outcome().result().exitCode();
    }

    /**
     * Reports the ends of copies to several targets: the fields of the first, and all of each.
     *
     * @return the worst of their exit codes
     */
    static int of(Output output, boolean verbose, List<String> targets,
            List<AgentResult> results) {
        ObjectNode report = results.getFirst().report().json();
        ArrayNode all = report.putArray("targets");
        for (int i = 0; i < results.size(); i++) {
            ObjectNode one = results.get(i).report().json();
            one.remove(List.of("event", "schema"));
            all.addObject().put("to", targets.get(i)).setAll(one);
        }
        output.emit(report);
        for (int i = 0; i < results.size(); i++) {
            Output about = output.about(targets.get(i));
            Outcome outcome = results.get(i).outcome();
            if (!output.isJson()) {
                output.human("");
                output.human("to " + targets.get(i));
                results.get(i).report().lines().stream().skip(1).forEach(output::human);
            } else if (outcome.result() != Result.COMPLETED) {
                about.note(line(outcome));
            }
            if (verbose && outcome.cause() != null) {
                about.note(stack(outcome.cause()));
            }
        }
        return results.stream().map(one -> one.outcome().result())
                .max(Comparator.comparingInt(WORSE::indexOf)).orElseThrow().exitCode();
    }

    /** A command line that makes no sense still ends with a report, where JSON was asked for. */
    static int usage(Output output, Side side, String message) {
        if (output.isJson()) {
            ObjectNode report = Report.ofNothing(side, Outcome.of(Result.REFUSED,
                    ErrorCode.PROTOCOL_VIOLATION, message, side)).json();
            report.withObject("/error").put("code", "usage").put("remedy", "pageferry --help");
            output.emit(report);
        }
        output.note("pageferry: " + message);
        return USAGE;
    }

    /** Reports that the agent of this host does not begin a move, or cannot be asked. */
    static int refused(Output output, IOException why) {
        String remedy = why instanceof ApiException api ? remedy(api) : "look at the agent's log";
        int code = why instanceof ApiException api ? api.exitCode()
                : Result.REFUSED.exitCode();
        if (code == USAGE) {
            return usage(output, Side.SOURCE, words((ApiException) why));
        }
        Outcome outcome = Outcome.of(code == Result.BUG.exitCode() ? Result.BUG : Result.REFUSED,
                ErrorCode.HOST_FAILED, why.getMessage(), Side.SOURCE).withRemedy(remedy);
        return of(output, false, new AgentResult(outcome,
                Report.ofNothing(Side.SOURCE, outcome)));
    }

    /** The reason and what to do about it, as one line. */
    static String words(ApiException why) {
        return why.getMessage() + (remedy(why).isEmpty() ? "" : "; " + remedy(why));
    }

    /** What an agent advises to callers, as commands say it. */
    private static String remedy(ApiException why) {
        return why.remedy().startsWith("GET /v1/migrations")
                ? "pageferry status and pageferry history name them"
                : why.remedy().startsWith("GET /v1/openapi.json")
                ? "each command has --help" : why.remedy();
    }

    /** Reports that an agent is gone in the middle of a move. */
    static int lost(Output output, String migration, IOException why) {
        Outcome outcome = Outcome.of(Result.IN_DOUBT, ErrorCode.HOST_FAILED,
                "the agent that moves the guest is gone (" + why.getMessage() + ")", Side.SOURCE)
                .withRemedy("start it again, it settles what it began; then pageferry watch "
                        + migration);
        return of(output, false, new AgentResult(outcome,
                Report.ofNothing(Side.SOURCE, outcome)));
    }

    private static String stack(Throwable cause) {
        StringWriter text = new StringWriter();
        cause.printStackTrace(new PrintWriter(text, true));
        return text.toString().stripTrailing();
    }

    private static String line(Outcome outcome) {
        return "pageferry: " + outcome.reason()
                + (outcome.remedy().isEmpty() ? "" : "; " + outcome.remedy());
    }
}
