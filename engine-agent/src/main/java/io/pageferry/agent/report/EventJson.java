package io.pageferry.agent.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationEvent.Level;
import io.pageferry.core.migration.MigrationEvent.Logged;
import io.pageferry.core.migration.MigrationEvent.RoundEnded;
import io.pageferry.core.migration.MigrationEvent.StateEntered;

/** Writes what happened to a migration as JSON. Names and their order are public. */
public final class EventJson {
    private EventJson() {
    }

    /**
     * Writes an event, as {@code --json} has it.
     *
     * @param event of a migration
     * @return one object, the caller's
     */
    public static ObjectNode of(MigrationEvent event) {
        return switch (event) {
            case StateEntered entered -> Output.event("state").put("state", entered.state())
                    .put("epoch", entered.epoch());
            case RoundEnded ended -> {
                ObjectNode round = Output.event("round");
                round.setAll(Rounds.json(ended.round()));
                yield round;
            }
            case Logged logged -> Output.event("log").put("level", logged.level().label())
                    .put("message", logged.message());
        };
    }

    /**
     * Shows an event, whoever tells it: as JSON where that is asked for, and to people.
     *
     * @param output where to
     * @param lines  whether people want more than warnings
     * @param event  with its name in {@code event}
     */
    public static void show(Output output, boolean lines, ObjectNode event) {
        output.emit(event);
        String name = event.path("event").asText();
        String line = line(name, event);
        boolean warns = event.path("level").asText().equals(Level.WARN.label());
        if (!line.isEmpty() && (warns || lines && !(name.equals("state") && output.isJson()))) {
            output.note(line);
        }
    }

    private static String line(String name, JsonNode event) {
        return switch (name) {
            case "state" -> "state    " + event.path("state").asText()
                    + (event.path("epoch").asLong() > 0
                            ? " (epoch " + event.path("epoch").asLong() + ")" : "");
            case "round" -> Rounds.line(event);
            case "log" -> (event.path("level").asText().equals(Level.WARN.label())
                    ? "warning  " : "note     ") + event.path("message").asText();
            case "queued" -> "queued   place " + event.path("position").asInt() + ": "
                    + event.path("reason").asText();
            case "limits" -> "limits   changed";
            default -> "";
        };
    }
}
