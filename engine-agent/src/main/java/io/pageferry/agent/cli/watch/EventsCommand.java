package io.pageferry.agent.cli.watch;

import io.pageferry.agent.cli.option.CommonOptions;
import io.pageferry.agent.cli.remote.AgentArguments;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pageferry events}: for programs. */
@Command(name = "events", description = "prints what happens at the agent, as lines of JSON")
public final class EventsCommand implements Callable<Integer> {
    @Mixin
    private AgentArguments api;

    @Mixin
    private CommonOptions common;

    /** Made by the command line. */
    public EventsCommand() {
    }

    @Override
    public Integer call() throws IOException {
        return new EventStream(api.required(), common.output()).programs();
    }
}
