package io.pageferry.agent.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.client.MoveFollower;
import io.pageferry.agent.client.UnansweredException;
import io.pageferry.agent.host.process.Interrupts;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.util.OptionalInt;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;

/** A move that the agent of this host makes, followed by a command. */
public final class RemoteMove {
    /** As a shell has it of a command that Ctrl-C ended: nobody knows how the move ends. */
    private static final int LEFT = 130;

    private final ApiClient agent;
    private final Output output;
    private final boolean lines;

    /**
     * Makes one.
     *
     * @param agent  makes the move
     * @param output where it is shown
     * @param lines  whether people want to see more than warnings and the report
     */
    public RemoteMove(ApiClient agent, Output output, boolean lines) {
        this.agent = agent;
        this.output = output;
        this.lines = lines;
    }

    /**
     * Begins a move.
     *
     * @param guest   that moves
     * @param to      the target, or empty
     * @param slot    its place, or empty
     * @param command whose further options the agent gets
     * @return the move, as the agent has it
     * @throws UnansweredException when nobody knows whether it was begun
     * @throws IOException         when the agent refuses, or cannot be asked
     */
    public JsonNode begin(String guest, String to, String slot, CommandSpec command)
            throws IOException {
        ObjectNode body = Output.object().put("guest", CallersFolder.guest(guest))
                .put("to", CallersFolder.address(to));
        if (!slot.isEmpty()) {
            body.put("slot", slot);
        }
        return agent.begin("/v1/migrations",
                body.set("options", GivenOptions.of(command, agent.isOverTls())));
    }

    /**
     * Follows it to its end. Ctrl-C or SIGTERM cancels it, a second Ctrl-C leaves it alone.
     *
     * @param move   as the agent has it
     * @param onStop has something run at SIGTERM
     * @return the exit code
     * @throws IOException when the agent is gone and does not come back
     */
    public int follow(JsonNode move, Consumer<Runnable> onStop) throws IOException {
        String id = move.path("id").asText();
        MoveFollower follower = new MoveFollower(agent, output, lines, move);
        Interrupts.take(() -> cancel(id), follower::leave);
        onStop.accept(() -> cancel(id));
        OptionalInt code = follower.follow();
        if (code.isEmpty()) {
            output.note("note     migration " + id + " is left to the agent: pageferry watch " + id
                    + " shows it");
        }
        return code.orElse(LEFT);
    }

    private void cancel(String id) {
        output.note("note     cancelling migration " + id + "; a second Ctrl-C leaves it as it is");
        try {
            agent.call("POST", "/v1/migrations/" + id + "/cancel?side=source");
        } catch (IOException e) {
            output.note("warning  it is not cancelled: " + e.getMessage());
        }
    }
}
