package io.pageferry.agent.cli.remote;

import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pageferry dashboard}. */
@Command(name = "dashboard", description = "prints an address with which one browser of this host"
        + " sees what the agent does; it works once, for two minutes")
public final class DashboardCommand implements Callable<Integer> {
    @Mixin
    private AgentArguments api;

    @Mixin
    private CommonOptions common;

    /** Made by the command line. */
    public DashboardCommand() {
    }

    @Override
    public Integer call() throws IOException {
        String url = api.required().call("POST", "/v1/dashboard").path("url").asText();
        Output output = common.output();
        output.emit(Output.event("dashboard").put("url", url));
        if (!output.isJson()) {
            output.human(url);
        }
        return 0;
    }
}
