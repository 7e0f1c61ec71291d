package io.pageferry.agent.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.EventJson;
import io.pageferry.agent.report.Output;
import io.pageferry.agent.report.ReportText;
import io.pageferry.core.migration.Outcome.Result;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Shows one migration of an agent as the command shows its own: events, then the report. One
 * thread; another one may have it leave.
 */
public final class MoveFollower {
    /** An agent that is silent for so long, without a heartbeat each 15 s, is not there. */
    private static final Duration SILENCE = Duration.ofSeconds(45);
    /** Of one that has ended, what is known comes at once. */
    private static final Duration KNOWN = Duration.ofSeconds(2);
    /** How long an agent that is gone may take to come back. */
    private static final int TRIES = 120;
    private static final long PAUSE_MILLIS = 500;

    private final ApiClient agent;
    private final Output output;
    private final boolean lines;
    private final String id;
    private final String side;
    private String last = "0";
    private volatile boolean left;
    private volatile ApiEvents events;

    /**
     * Makes one.
     *
     * @param agent  that has the migration
     * @param output where it is shown
     * @param lines  whether people want to see more than warnings and the report
     * @param move   as the agent answered
     */
    public MoveFollower(ApiClient agent, Output output, boolean lines, JsonNode move) {
        this.agent = agent;
        this.output = output;
        this.lines = lines;
        this.id = move.path("id").asText();
        this.side = move.path("side").asText();
    }

    /** Has it end soon, with nothing; for another thread. */
    public void leave() {
        left = true;
        ApiEvents now = events;
        if (now != null) {
            now.close();
        }
    }

    /**
     * Follows until the end. An agent that is gone for a moment, as when it is started anew, is
     * waited for.
     *
     * @return the exit code of the contract; empty where {@link #leave} was called
     * @throws ApiException when the agent does not know it any more
     * @throws IOException  when the agent is gone and does not come back
     */
    public OptionalInt follow() throws IOException {
        IOException lost = null;
        for (int tries = 0; tries < TRIES && !left; tries++) {
            try {
                OptionalInt code = once();
                if (code.isPresent()) {
                    return code;
                }
                tries = 0;
            } catch (IOException e) {
                // An agent that has too much to do, or is ending, is asked again like one that is
                // gone.
                if (e instanceof ApiException said && !said.mayPass()) {
                    throw e;
                }
                if (tries == 0 && !left) {
                    output.note("note     the agent is not there (" + e.getMessage()
                            + "); waiting for it");
                }
                lost = e;
                pause();
            }
        }
        if (left) {
            return OptionalInt.empty();
        }
        throw lost == null ? new IOException("the agent ends each connection") : lost;
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Reads one connection to its end; empty where the migration goes on. */
    private OptionalInt once() throws IOException {
        boolean ended = isEnded();
        try (ApiEvents opened = agent.events("/v1/events?migration=" + id, last)) {
            events = opened;
            while (!left) {
                Optional<ApiEvent> event = opened.next(ended ? KNOWN : SILENCE);
                if (event.isEmpty()) {
                    return ended ? end(resource().path("report")) : OptionalInt.empty();
                }
                if (isOurs(event.get())) {
                    last = event.get().id();
                    if (event.get().kind().equals("report")) {
                        return end(event.get().data());
                    }
                    EventJson.show(output, lines, event.get().data());
                } else if (event.get().kind().equals("gap")) {
                    ended = isEnded();
                }
            }
            return OptionalInt.empty();
        }
    }

    /** Where both sides are of one agent, each has events. */
    private boolean isOurs(ApiEvent event) {
        return event.data().path("migration").asText().equals(id)
                && event.data().path("side").asText(side).equals(side);
    }

    private JsonNode resource() throws IOException {
        return agent.call("GET", "/v1/migrations/" + id + "?side=" + side);
    }

    private boolean isEnded() throws IOException {
        return resource().path("phase").asText().equals("ended");
    }

    private OptionalInt end(JsonNode report) throws IOException {
        if (report instanceof ObjectNode object) {
            output.emit(object);
        }
        boolean well = report.path("result").asText().equals(Result.COMPLETED.label());
        if (!output.isJson()) {
            ReportText.of(report).forEach(output::human);
        } else if (!well) {
            String remedy = report.at("/error/remedy").asText();
            output.note("pageferry: " + report.at("/error/reason").asText()
                    + (remedy.isEmpty() ? "" : "; " + remedy));
        }
        return OptionalInt.of(resource().path("exitCode").asInt(Result.BUG.exitCode()));
    }
}
