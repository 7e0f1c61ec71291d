package io.pageferry.agent.cli.watch;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.remote.AgentArguments;
import io.pageferry.agent.cli.remote.ApiArguments;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.client.MoveFollower;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code pageferry watch [ID]}: a move that somebody else began, or whatever happens. */
@Command(name = "watch", description = "shows a move of the agent to its end, or all of them")
public final class WatchCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ID", arity = "0..1", description = "of a migration, as pageferry"
            + " status names it; without, everything is shown until Ctrl-C")
    private String migration;

    @Mixin
    private AgentArguments api;

    @Mixin
    private CommonOptions common;

    /** Made by the command line. */
    public WatchCommand() {
    }

    @Override
    public Integer call() throws IOException {
        ApiClient agent = api.required();
        if (migration == null) {
            return new EventStream(agent, common.output()).people();
        }
        JsonNode move = agent.call("GET", "/v1/migrations/" + ApiArguments.migration(migration));
        return new MoveFollower(agent, common.output(), true, move).follow().orElse(0);
    }
}
