package io.pageferry.agent.cli.remote;

import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code pageferry cancel ID}. */
@Command(name = "cancel", description = "has the agent give a move up, before it is granted")
public final class CancelCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ID", description = "of a migration, as pageferry status names it")
    private String migration;

    @Mixin
    private AgentArguments api;

    @Mixin
    private CommonOptions common;

    /** Made by the command line. */
    public CancelCommand() {
    }

    @Override
    public Integer call() throws IOException {
        String id = ApiArguments.migration(migration);
        api.required().call("POST", "/v1/migrations/" + id + "/cancel");
        Output output = common.output();
        output.emit(Output.event("cancelling").put("migration", id));
        output.human("migration " + id + " is being cancelled: pageferry watch " + id
                + " shows how it ends");
        return 0;
    }
}
