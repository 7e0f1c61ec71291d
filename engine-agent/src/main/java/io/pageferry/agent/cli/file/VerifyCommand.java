package io.pageferry.agent.cli.file;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.capture.CaptureReader;
import io.pageferry.agent.capture.check.CaptureCheck;
import io.pageferry.agent.capture.check.Verdict;
import io.pageferry.agent.report.Output;
import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pageferry verify CAPTURE}: whether what was captured follows docs/PROTOCOL.md. */
@Command(name = "verify", description = "checks a capture against the protocol")
public final class VerifyCommand implements Callable<Integer> {
    private static final int REFUSED = 3;
    private static final int FAILED = 4;

    @Parameters(paramLabel = "CAPTURE", description = "a file that --capture made")
    private Path file;

    @Option(names = "--json", description = "one JSON object on stdout")
    private boolean json;

    @Option(names = "--verbose", description = "stack traces of failures")
    private boolean verbose;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
    private boolean help;

    /** Made by the command line. */
    public VerifyCommand() {
    }

    @Override
    public Integer call() {
        Output output = new Output(System.out, System.err, json);
        try (CaptureReader reader = CaptureReader.open(file)) {
            Verdict verdict = CaptureCheck.of(reader);
            output.emit(event(reader, verdict));
            if (!json) {
                lines(output, reader, verdict);
            }
            return verdict.violations().isEmpty() ? 0 : FAILED;
        } catch (IOException e) {
            if (verbose) {
                e.printStackTrace(System.err);
            }
            String why = e.getClass() == IOException.class ? e.getMessage() : e.toString();
            output.note("pageferry: " + Printable.of(why)
                    + "; give the FILE that --capture made");
            return REFUSED;
        }
    }

    private ObjectNode event(CaptureReader reader, Verdict verdict) {
        ObjectNode event = Output.event("capture-verified").put("file", file.toString())
                .put("side", reader.side().name().toLowerCase(Locale.ROOT))
                .put("connections", verdict.connections()).put("frames", verdict.frames())
                .put("complete", reader.incomplete().isEmpty())
                .put("match", verdict.violations().isEmpty());
        ArrayNode all = event.putArray("violations");
        for (Verdict.Violation one : verdict.violations()) {
            all.addObject().put("rule", one.rule().id()).put("section", one.rule().section())
                    .put("connection", one.connection())
                    .put("from", one.from().name().toLowerCase(Locale.ROOT))
                    .put("offset", one.offset()).put("what", one.what());
        }
        return event;
    }

    private void lines(Output output, CaptureReader reader, Verdict verdict) {
        for (Verdict.Violation one : verdict.violations()) {
            output.human(one.rule().id() + " (PROTOCOL.md \u00a7" + one.rule().section()
                    + "), connection " + one.connection() + ", byte " + one.offset()
                    + " from the " + one.from().name().toLowerCase(Locale.ROOT) + ": "
                    + one.what());
        }
        Optional<String> missing = reader.incomplete();
        missing.ifPresent(why -> output.human("the capture is incomplete: " + Printable.of(why)
                + "; what is there was checked"));
        output.human(Printable.of(file.toString())
                + (verdict.violations().isEmpty() ? " follows" : " does not follow")
                + " docs/PROTOCOL.md: " + verdict.connections() + " connections, "
                + verdict.frames() + " frames");
    }
}
