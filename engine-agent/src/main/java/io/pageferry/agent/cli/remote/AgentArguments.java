package io.pageferry.agent.cli.remote;

import io.pageferry.agent.cli.option.TlsFileArguments;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.client.ApiException;
import picocli.CommandLine.Mixin;

/** The agent that a command asks which does nothing else. */
public final class AgentArguments {
    @Mixin
    private ApiArguments api;

    @Mixin
    private TlsFileArguments files;

    /** Made by the command line. */
    public AgentArguments() {
    }

    /**
     * Finds the agent.
     *
     * @return the agent
     * @throws ApiException where none listens
     */
    public ApiClient required() throws ApiException {
        return api.required(files.files());
    }
}
