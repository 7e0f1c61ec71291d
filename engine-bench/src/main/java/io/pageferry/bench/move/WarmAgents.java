package io.pageferry.bench.move;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.demo.AgentProcess;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Two agents that serve, as on paired hosts, and the one guard service of both; moves are asked
 * for by their API. One thread; close it to end them.
 */
public final class WarmAgents implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SLOT = "bench";

    private final List<AgentProcess> processes = new ArrayList<>();
    private final ApiClient source;
    private final ApiClient target;
    private final String to;

    /**
     * Starts them, and returns when all are ready.
     *
     * @param from   URI of every guest that will move
     * @param onto   URI of what it will move to
     * @param folder for their state, sockets and words; the caller deletes it
     * @throws IOException when one does not start
     */
    public WarmAgents(String from, String onto, Path folder) throws IOException {
        Files.writeString(folder.resolve("guests.json"), JSON.createObjectNode()
                .set("guests", JSON.createArrayNode().add(named("from", from))
                        .add(named("onto", onto))).toString());
        Files.writeString(folder.resolve("agent.conf"), "");
        String guard = "unix:" + folder.resolve("guard.sock");
        boolean ready = false;
        try {
            start(List.of(), List.of("guard-service", "--guard", guard, "--json"), folder);
            agent("source", guard, folder);
            to = agent("target", guard, folder).path("listen").asText();
            ready = true;
        } finally {
            if (!ready) {
                close();
            }
        }
        source = client(folder, "source");
        target = client(folder, "target");
    }

    private static ObjectNode named(String name, String uri) {
        return JSON.createObjectNode().put("name", name).put("uri", uri);
    }

    private static ApiClient client(Path folder, String name) {
        return new ApiClient(UnixDomainSocketAddress.of(folder.resolve(name + ".sock")));
    }

    private JsonNode agent(String name, String guard, Path folder) throws IOException {
        // As the launcher starts a service: compiled well.
        return start(List.of("-XX:TieredStopAtLevel=4", "-Dpageferry.guard=" + guard),
                List.of("agent", "--listen", "127.0.0.1:0",
                "--api", "unix:" + folder.resolve(name + ".sock"),
                "--config", folder.resolve("agent.conf").toString(),
                "--state-dir", folder.resolve(name).toString(), "--json"), folder);
    }

    private JsonNode start(List<String> jvm, List<String> words, Path folder)
            throws IOException {
        AgentProcess process = AgentProcess.start(jvm, words, folder.resolve("services.log"));
        processes.add(process);
        JsonNode ready = process.await("ready", event -> { });
        if (ready == null) {
            throw new IOException(words.getFirst() + " did not start: " + process.words());
        }
        return ready;
    }

    /**
     * Moves a guest: a place is opened at the target, the source is asked, and its end awaited.
     *
     * @return the source's report, of a failed move too
     * @throws IOException when an agent cannot be asked, or refuses before there is a report
     */
    public JsonNode move() throws IOException {
        target.call("PUT", "/v1/slots/" + SLOT, JSON.createObjectNode().put("guest", "onto"));
        try {
            JsonNode asked = source.call("POST", "/v1/migrations", JSON.createObjectNode()
                    .put("guest", "from").put("to", to).put("slot", SLOT));
            String path = "/v1/migrations/" + asked.path("id").asText();
            JsonNode now = source.call("GET", path + "?wait=ended&timeout=60s");
            while (!now.path("phase").asText().equals("ended")) {
                now = source.call("GET", path + "?wait=ended&timeout=60s");
            }
            return now.path("report");
        } finally {
            target.call("DELETE", "/v1/slots/" + SLOT);
        }
    }

    @Override
    public void close() {
        processes.reversed().forEach(AgentProcess::close);
    }
}
