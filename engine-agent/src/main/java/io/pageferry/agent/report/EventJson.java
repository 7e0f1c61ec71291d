package io.pageferry.agent.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.core.migration.MigrationEvent;
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
}
