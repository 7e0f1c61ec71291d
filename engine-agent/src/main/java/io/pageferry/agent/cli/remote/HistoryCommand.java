package io.pageferry.agent.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.report.ReportText;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code pageferry history [ID]}: moves that have ended, or the report of one. */
@Command(name = "history", description = "moves of the agent that have ended, or one's report")
public final class HistoryCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ID", arity = "0..1",
            description = "of a migration whose report is wanted")
    private String migration;

    @Mixin
    private AgentArguments api;

    @Mixin
    private CommonOptions common;

    /** Made by the command line. */
    public HistoryCommand() {
    }

    @Override
    public Integer call() throws IOException {
        Output output = common.output();
        ApiClient agent = api.required();
        if (migration != null) {
            JsonNode report = agent.call("GET", "/v1/migrations/"
                    + ApiArguments.migration(migration) + "/report");
            output.emit((ObjectNode) report);
            if (!output.isJson()) {
                ReportText.of(report).forEach(output::human);
            }
            return 0;
        }
        JsonNode ended = agent.call("GET", "/v1/migrations?phase=ended").path("migrations");
        ended.forEach(new RemoteStatus(agent, output)::migration);
        if (ended.isEmpty() && !output.isJson()) {
            output.human("no move has ended yet");
        }
        return 0;
    }
}
