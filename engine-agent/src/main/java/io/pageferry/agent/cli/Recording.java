package io.pageferry.agent.cli;

import io.pageferry.agent.capture.Capture;
import io.pageferry.agent.capture.CaptureWriter;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.transport.netty.CaptureSink;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/** Makes a capture while a command runs, where one is wanted. */
final class Recording {
    private Recording() {
    }

    /** Runs a command and reports its end, behind the last word about the capture. */
    static int around(Path file, Capture.Side side, CommonOptions common,
            Function<Optional<CaptureSink>, AgentResult> command) {
        Output output = common.output();
        AgentResult result;
        if (file == null) {
            result = command.apply(Optional.empty());
        } else {
            try (CaptureWriter capture = CaptureWriter.create(file, side,
                    line -> warn(output, line))) {
                result = command.apply(Optional.of(capture));
            } catch (IOException e) {
                result = refused(side == Capture.Side.SOURCE ? Side.SOURCE : Side.TARGET, e);
            }
        }
        return Ending.of(output, common.verbose(), result);
    }

    private static void warn(Output output, String line) {
        output.emit(Output.event("log").put("level", "warn").put("message", line));
        output.note("warning  " + line);
    }

    private static AgentResult refused(Side side, IOException why) {
        Outcome outcome = Outcome.of(Result.REFUSED, ErrorCode.HOST_FAILED, why.getMessage(), side)
                .withRemedy("name another file with --capture").causedBy(why);
        return new AgentResult(outcome, Report.ofNothing(side, outcome));
    }
}
