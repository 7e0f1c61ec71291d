package io.pageferry.agent.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;

/** What an agent knows, for people and for programs: slots and migrations. */
public final class RemoteStatus {
    private final ApiClient agent;
    private final Output output;

    /**
     * Makes one.
     *
     * @param agent  is asked
     * @param output where it is shown
     */
    public RemoteStatus(ApiClient agent, Output output) {
        this.agent = agent;
        this.output = output;
    }

    /**
     * Shows slots, then what is under way, then what has ended.
     *
     * @throws IOException when the agent cannot be asked
     */
    public void all() throws IOException {
        JsonNode slots = agent.call("GET", "/v1/slots").path("slots");
        JsonNode migrations = agent.call("GET", "/v1/migrations").path("migrations");
        slots.forEach(this::slot);
        migrations.forEach(this::migration);
        if (slots.isEmpty() && migrations.isEmpty() && !output.isJson()) {
            output.human("no slot is open here, and no migration is known");
        }
    }

    void slot(JsonNode slot) {
        output.emit(Output.event("slot").setAll((ObjectNode) slot));
        if (!output.isJson()) {
            output.human("slot " + slot.path("name").asText() + "  " + slot.path("state").asText()
                    + "  " + slot.path("guest").asText()
                    + (slot.path("migration").isTextual() ? "  migration "
                            + slot.path("migration").asText() : ""));
        }
    }

    void migration(JsonNode move) {
        output.emit(Output.event("migration").setAll((ObjectNode) move));
        if (!output.isJson()) {
            output.human(line(move));
        }
    }

    /** One line, as {@code status} and {@code history} have it. */
    private static String line(JsonNode move) {
        long since = move.path("startedAt").asLong();
        String state = move.path("result").isTextual() ? move.path("result").asText()
                : move.path("state").asText();
        return String.format(Locale.ROOT, "%s  %-6s  %-10s  %s  %s%s", move.path("id").asText(),
                move.path("side").asText(), state,
                since == 0 ? "not begun" : Instant.ofEpochMilli(since).toString(),
                move.path("guest").asText(), move.path("to").asText().isEmpty() ? ""
                        : "  " + move.path("to").asText());
    }

    /**
     * Has a migration in doubt settled.
     *
     * @param id     names it
     * @param owner  an operator's word, or empty to ask the other side
     * @param fenced whether the target can never run the guest
     * @return the exit code
     * @throws IOException when the agent refuses, or cannot be asked
     */
    public int settle(String id, String owner, boolean fenced) throws IOException {
        ObjectNode body = Output.object();
        if (!owner.isEmpty()) {
            body.put("owner", owner).put("targetIsFenced", fenced);
        }
        JsonNode settled = agent.call("POST", "/v1/migrations/" + id + "/settle", body);
        String why = settled.at("/report/error/reason").asText();
        String words = "migration " + id + ": " + settled.path("result").asText("not settled")
                + (why.isEmpty() ? "" : "; " + why);
        output.emit(Output.event("settled").put("migration", id)
                .put("result", settled.path("result").asText()).put("message", words));
        output.human(words);
        return settled.path("exitCode").asInt();
    }

    /**
     * Opens a slot.
     *
     * @param name    of the slot, checked
     * @param guest   that comes there: a workload:, or a name of the agent's address book
     * @param command that was given nothing else
     * @throws IOException when the agent refuses, or cannot be asked
     */
    public void open(String name, String guest, CommandSpec command) throws IOException {
        GivenOptions.all(command, agent.isOverTls()).stream().findFirst().ifPresent(option -> {
            throw new UsageException("a slot of the agent has no " + option.longestName()
                    + ": leave it out, or receive without the agent by --listen");
        });
        JsonNode slot = agent.call("PUT", "/v1/slots/" + name,
                Output.object().put("guest", CallersFolder.guest(guest)));
        slot(slot);
    }
}
