package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.e2e.Agent.Start;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An agent as a service, and its API.
 *
 * @param agent   the process
 * @param api     asks it
 * @param listens where guests come in
 */
record ServedAgent(Agent agent, ApiClient api, String listens) {
    static final ObjectMapper JSON = new ObjectMapper();

    /** What the test says of one: its name gives socket and state directory. */
    record Place(Rig rig, String name, String listen) {
        Path socket() {
            return rig.folder().resolve(name + ".sock");
        }

        Path state() {
            return rig.folder().resolve(name);
        }
    }

    /** Starts one that stands still at a state, empty for none; returns when it is ready. */
    static ServedAgent start(Place place, String hold, List<String> prefix, String... more)
            throws IOException {
        List<String> arguments = new ArrayList<>(List.of("agent", "--listen", place.listen(),
                "--api", "unix:" + place.socket(), "--state-dir", place.state().toString(),
                "--settle-window", "2s"));
        arguments.addAll(List.of(more));
        Agent agent = place.rig().start(new Start(prefix, List.of(), arguments, hold));
        ObjectNode ready = agent.await("ready", event ->
                event.path("event").asText().equals("ready"));
        assertEquals("unix:" + place.socket(), ready.path("api").asText());
        return new ServedAgent(agent, new ApiClient(UnixDomainSocketAddress.of(place.socket())),
                ready.path("listen").asText());
    }

    JsonNode call(String method, String path) throws IOException {
        return api.call(method, path);
    }

    String submit(String guest, ServedAgent to, String slot, String bandwidth)
            throws IOException {
        ObjectNode options = JSON.createObjectNode().put("bandwidth", bandwidth);
        return submit(guest, to.listens(), slot, options);
    }

    String submit(String guest, String to, String slot, ObjectNode options) throws IOException {
        ObjectNode body = JSON.createObjectNode().put("guest", guest).put("to", to)
                .put("slot", slot);
        return api.call("POST", "/v1/migrations", body.set("options", options)).path("id")
                .asText();
    }

    void slot(String name) throws IOException {
        slot(name, "workload:64MiB");
    }

    void slot(String name, String guest) throws IOException {
        api.call("PUT", "/v1/slots/" + name, JSON.createObjectNode().put("guest", guest));
    }

    JsonNode migration(String id) throws IOException {
        return call("GET", "/v1/migrations/" + id);
    }

    JsonNode ended(String id) throws IOException {
        return call("GET", "/v1/migrations/" + id + "?wait=ended&timeout=100s");
    }

    void awaitState(String id, String state) throws IOException {
        Poll.until(() -> all().stream().anyMatch(one -> one.path("id").asText().equals(id)
                        && one.path("state").asText().equals(state)),
                () -> agent + " does not come to " + state + " with " + id);
    }

    /** A target knows a migration from its first page on. */
    List<JsonNode> all() throws IOException {
        List<JsonNode> all = new ArrayList<>();
        call("GET", "/v1/migrations").path("migrations").forEach(all::add);
        return all;
    }
}
