package io.pageferry.agent.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pageferry status}: the migrations that the journals know, and who owns each guest. */
@Command(name = "status", description = "migrations known here, and who owns each guest")
final class StatusCommand implements Callable<Integer> {
    @Mixin
    private CommonOptions common;

    @Override
    public Integer call() throws IOException {
        Output output = common.output();
        List<String> unreadable = new ArrayList<>();
        List<FileJournal> journals = StateDirectory.open(common.stateDirectory())
                .all(unreadable::add);
        for (FileJournal journal : journals) {
            ObjectNode entry = describe(journal);
            output.emit(entry);
            if (!output.isJson()) {
                output.human(String.format("%s  %-6s  %-10s  epoch %d  owner %-7s  %s  %s%s",
                        entry.path("migration").asText(), entry.path("side").asText(),
                        entry.path("state").asText(), entry.path("epoch").asLong(),
                        entry.path("owner").asText(), entry.path("since").asText(),
                        entry.path("guest").asText(),
                        entry.path("settled").asBoolean() ? "" : "  NOT SETTLED"));
            }
        }
        for (String why : unreadable) {
            output.emit(Output.event("log").put("level", "warn").put("message", why));
            output.note("pageferry: " + why);
        }
        if (journals.isEmpty() && unreadable.isEmpty() && !output.isJson()) {
            output.human("no migration is known here");
        }
        return 0;
    }

    private static ObjectNode describe(FileJournal journal) {
        JournalHeader header = journal.header();
        Optional<JournalRecord> last = journal.decision();
        return Output.event("migration").put("migration", header.migration().toString())
                .put("side", header.side().label())
                .put("guest", header.guest()).put("peer", header.peer())
                .put("since", Instant.ofEpochMilli(header.createdMillis()).toString())
                .put("state", last.map(entry -> entry.state().label()).orElse("precopy"))
                .put("epoch", last.map(JournalRecord::epoch).orElse(0L))
                .put("owner", last.map(entry -> owner(header.side(), entry.state()))
                        .orElse("source"))
                .put("settled", journal.isSettled());
    }

    /** Who owns the guest as far as this journal knows. */
    private static String owner(Side side, JournalState state) {
        return switch (state) {
            case GRANTED -> "unknown";
            case DONE, ACTIVE, RUNNING -> "target";
            case PREPARED -> side == Side.TARGET ? "unknown" : "source";
            default -> "source";
        };
    }
}
