package io.pageferry.agent.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.option.TrustArguments;
import io.pageferry.agent.cli.remote.AgentChoice;
import io.pageferry.agent.cli.remote.RemoteStatus;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.Ownership;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pageferry status}: the migrations that the journals know, and the owner of each guest. */
@Command(name = "status", description = "migrations known here, and who owns each guest")
final class StatusCommand implements Callable<Integer> {
    /** Checked and not used: it asks no peer, but may be given what the other commands are. */
    @Mixin
    private TrustArguments trust;

    @Mixin
    private CommonOptions common;

    @Mixin
    private AgentChoice choice;

    @Override
    public Integer call() throws IOException {
        trust.trust();
        Output output = common.output();
        Optional<ApiClient> agent = common.stateDirectory() == null ? choice.agent(trust)
                : Optional.empty();
        if (agent.isPresent()) {
            new RemoteStatus(agent.get(), output).all();
            return 0;
        }
        List<String> unreadable = new ArrayList<>();
        List<FileJournal> journals = new ArrayList<>();
        for (Path folder : common.stateDirectories()) {
            journals.addAll(StateDirectory.open(folder).all(unreadable::add));
        }
        for (FileJournal journal : journals) {
            ObjectNode entry = describe(journal);
            output.emit(entry);
            if (!output.isJson()) {
                output.human(String.format("%s  %-6s  %-10s  epoch %d  owner %-7s  %s  %s%s",
                        entry.path("migration").asText(), entry.path("side").asText(),
                        entry.path("state").asText(), entry.path("epoch").asLong(),
                        entry.path("owner").asText(), entry.path("since").asText(),
                        entry.path("guest").asText(),
                        entry.path("settled").asBoolean() ? "" : "  NOT SETTLED"
                        + (entry.has("pending") ? ": " + entry.path("pending").asText() : "")));
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
        Ownership now = journal.ownership();
        ObjectNode entry = Output.event("migration").put("migration", header.migration().toString())
                .put("side", header.side().label())
                .put("guest", header.guest()).put("peer", header.peer())
                .put("since", Instant.ofEpochMilli(header.createdMillis()).toString())
                .put("state", now.state() == null ? "precopy" : now.state().label())
                .put("epoch", now.epoch()).put("owner", now.owner().label())
                .put("settled", now.settled());
        journal.pending().ifPresent(why -> entry.put("pending", why));
        return entry;
    }
}
