package io.pageferry.agent.cli.describe;

import io.pageferry.agent.cli.option.Choice;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestKind.Finding;
import io.pageferry.agent.guest.GuestKind.Verdict;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.migration.GuestException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code pageferry check GUEST}: docs/OPERATIONS.md's table for one guest. Ends with 0 where the
 * guest can move with these options, else with 3.
 */
@Command(name = "check", description = "what can move a guest, and what stands in the way")
public final class CheckCommand implements Callable<Integer> {
    private static final int REFUSED = 3;

    @Parameters(paramLabel = "GUEST")
    private String guest;

    @Option(names = "--tracker", paramLabel = "KIND", defaultValue = "auto",
            converter = CheckCommand.Trackers.class,
            description = "auto, userfaultfd or scan: how it is going to be moved")
    private TrackerChoice tracker;

    /** Those that a guest outside of its agent can be moved by. */
    static final class Trackers implements ITypeConverter<TrackerChoice> {
        @Override
        public TrackerChoice convert(String text) {
            return new Choice<>(List.of(TrackerChoice.AUTO, TrackerChoice.USERFAULTFD,
                    TrackerChoice.SCAN), List.of()).convert(text);
        }
    }

    @Mixin
    private CommonOptions common;

    /** Made by the command line. */
    public CheckCommand() {
    }

    @Override
    public Integer call() {
        Output output = common.output();
        GuestUri uri = GuestUri.parse(guest);
        try {
            List<Finding> rows = new ArrayList<>(GuestKinds.of(uri).inspect(uri));
            rows.add(stateDirectory(GuestKinds.of(uri)));
            rows.forEach(row -> tell(output, row));
            boolean refused = has(rows, Verdict.REFUSED);
            boolean scan = has(rows, Verdict.SCAN_ONLY);
            output.human(refused ? "it cannot be moved as it is"
                    : scan ? "it can be moved with --tracker scan only, which reads all of its"
                            + " memory in each round, the last one while the guest is paused"
                    : "it can be moved");
            return refused || scan && tracker != TrackerChoice.SCAN ? REFUSED : 0;
        } catch (GuestException e) {
            output.note("pageferry: " + e.getMessage() + "; " + e.remedy());
            return REFUSED;
        }
    }

    private Finding stateDirectory(GuestKind kind) {
        StateDirectory.Prospect prospect = StateDirectory.look(common.stateDirectory(kind));
        return prospect.fit()
                ? new Finding("state-dir", Verdict.OK, prospect.found(), "", "")
                : new Finding("state-dir", Verdict.REFUSED, prospect.found(),
                        "each decision is written there before its act",
                        "make it writable or make room there, or name another --state-dir");
    }

    private static boolean has(List<Finding> rows, Verdict verdict) {
        return rows.stream().anyMatch(row -> row.verdict() == verdict);
    }

    private static void tell(Output output, Finding row) {
        String verdict = switch (row.verdict()) {
            case OK -> "ok";
            case SCAN_ONLY -> "scan only";
            case REFUSED -> "refused";
        };
        String more = row.why().isEmpty() ? "" : ": " + row.why();
        String line = "%-9s  %-10s  %s".formatted(verdict, row.what(), row.found() + more);
        output.emit(Output.event("check").put("what", row.what())
                .put("verdict", row.verdict().label())
                .put("found", row.found()).put("why", row.why()).put("remedy", row.remedy())
                .put("message", verdict + ": " + row.found() + more));
        output.human(line);
        if (!row.remedy().isEmpty()) {
            output.human(" ".repeat(23) + "-> " + row.remedy());
        }
    }
}
