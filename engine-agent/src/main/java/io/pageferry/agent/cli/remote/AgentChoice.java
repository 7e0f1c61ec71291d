package io.pageferry.agent.cli.remote;

import io.pageferry.agent.cli.option.TrustArguments;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.client.ApiException;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Whether a command does its work itself, or has the agent of this host do it. */
public final class AgentChoice {
    @Mixin
    private ApiArguments api;

    @Option(names = "--standalone",
            description = "do it in this command, even where an agent runs")
    private boolean standalone;

    /** Made by the command line. */
    public AgentChoice() {
    }

    /**
     * Finds the agent that is to do the work.
     *
     * @param trust the command's, for an agent at a port
     * @return the agent; empty for this command itself
     * @throws ApiException where an agent was named, and none listens there
     */
    public Optional<ApiClient> agent(TrustArguments trust) throws ApiException {
        return standalone ? Optional.empty() : api.present(trust.files());
    }

    /**
     * Finds the agent for what only it can do.
     *
     * @param trust the command's, for an agent at a port
     * @return the agent
     * @throws ApiException where none listens
     */
    public ApiClient required(TrustArguments trust) throws ApiException {
        return api.required(trust.files());
    }

    /** {@return whether the command is to do it itself} */
    public boolean isStandalone() {
        return standalone;
    }
}
