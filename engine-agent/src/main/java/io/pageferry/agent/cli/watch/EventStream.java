package io.pageferry.agent.cli.watch;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.client.ApiEvent;
import io.pageferry.agent.client.ApiEvents;
import io.pageferry.agent.report.EventJson;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/** All events of an agent, until the command or the agent ends. */
final class EventStream {
    /** A heartbeat comes each 15 s. */
    private static final Duration SILENCE = Duration.ofSeconds(45);

    private final ApiClient agent;
    private final Output output;

    EventStream(ApiClient agent, Output output) {
        this.agent = agent;
        this.output = output;
    }

    /** Shows a line for each, of which move it is first. */
    int people() throws IOException {
        return each(event -> {
            ObjectNode data = event.data();
            if (!output.isJson()) {
                output.human("migration " + data.path("migration").asText() + "  "
                        + data.path("side").asText() + "  " + (event.kind().equals("report")
                        ? "result   " + data.path("result").asText() : event.kind()));
            }
            EventJson.show(output, true, data);
        });
    }

    /** Prints each as it came. */
    int programs() throws IOException {
        Output json = new Output(System.out, System.err, true);
        return each(event -> json.emit(event.data()));
    }

    private int each(Consumer<ApiEvent> then) throws IOException {
        try (ApiEvents events = agent.events("/v1/events", "")) {
            while (true) {
                Optional<ApiEvent> event = events.next(SILENCE);
                if (event.isEmpty()) {
                    throw new IOException("the agent does not answer any more");
                }
                then.accept(event.get());
            }
        }
    }
}
