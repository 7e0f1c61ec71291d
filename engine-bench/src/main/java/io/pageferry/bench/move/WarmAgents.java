package io.pageferry.bench.move;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.demo.AgentProcess;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Two agents that serve, as on paired hosts, and the one guard service of both; moves are asked
 * for by their API. One thread; close it to end them.
 */
public final class WarmAgents implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SLOT = "bench";
    /** As the launcher and the package start a service: compiled well, in a small heap. */
    private static final List<String> JVM = List.of("-XX:TieredStopAtLevel=4", "-Xms16m",
            "-Xmx128m");

    private final Path folder;
    private final List<AgentProcess> processes = new ArrayList<>();
    private final Side source;
    private final Side target;

    /**
     * One of the agents.
     *
     * @param api     asks it
     * @param socket  where it is asked
     * @param address where guests come in
     * @param pid     its process
     */
    public record Side(ApiClient api, UnixDomainSocketAddress socket, String address, long pid) {
        /**
         * Has a place wait for a guest.
         *
         * @param slot  its name
         * @param guest a workload, or a name of the address book
         * @throws IOException when the agent refuses
         */
        public void open(String slot, String guest) throws IOException {
            api.call("PUT", "/v1/slots/" + slot, JSON.createObjectNode().put("guest", guest));
        }

        /**
         * Lets a place go, and the workload in it.
         *
         * @param slot its name
         * @throws IOException when the agent refuses
         */
        public void delete(String slot) throws IOException {
            api.call("DELETE", "/v1/slots/" + slot);
        }

        /**
         * Asks for a move.
         *
         * @param guest a workload, or a name of the address book
         * @param to    the other agent
         * @param slot  its place for it
         * @return the migration
         * @throws IOException when the agent refuses
         */
        public String submit(String guest, Side to, String slot) throws IOException {
            return api.call("POST", "/v1/migrations", JSON.createObjectNode().put("guest", guest)
                    .put("to", to.address).put("slot", slot)).path("id").asText();
        }

        /**
         * Waits for the end of a migration.
         *
         * @param migration that went out from here
         * @return its report
         * @throws IOException when the agent is gone
         */
        public JsonNode ended(String migration) throws IOException {
            while (true) {
                JsonNode now = api.call("GET", "/v1/migrations/" + migration
                        + "?wait=ended&timeout=60s");
                if (now.path("phase").asText().equals("ended")) {
                    return now.path("report");
                }
            }
        }
    }

    /**
     * Starts them, and returns when all are ready.
     *
     * @param guests address book of both: URIs by name
     * @param more   further options of {@code agent}
     * @param folder for their state, sockets and words; the caller deletes it
     * @throws IOException when one does not start
     */
    public WarmAgents(Map<String, String> guests, List<String> more, Path folder)
            throws IOException {
        this.folder = folder;
        ArrayNode named = JSON.createArrayNode();
        guests.forEach((name, uri) -> named.addObject().put("name", name).put("uri", uri));
        Files.writeString(folder.resolve("guests.json"),
                JSON.createObjectNode().set("guests", named).toString());
        Files.writeString(folder.resolve("agent.conf"), "");
        boolean ready = false;
        try {
            String guard = "unix:" + folder.resolve("guard.sock");
            start(List.of("-Xms16m"), List.of("guard-service", "--guard", guard, "--json"));
            source = agent("source", guard, more);
            target = agent("target", guard, more);
            ready = true;
        } finally {
            if (!ready) {
                close();
            }
        }
    }

    private Side agent(String name, String guard, List<String> more) throws IOException {
        Path socket = folder.resolve(name + ".sock");
        List<String> jvm = new ArrayList<>(JVM);
        jvm.add("-Dpageferry.guard=" + guard);
        List<String> words = new ArrayList<>(List.of("agent", "--listen", "127.0.0.1:0", "--api",
                "unix:" + socket, "--config", folder.resolve("agent.conf").toString(),
                "--state-dir", folder.resolve(name).toString(), "--json"));
        words.addAll(more);
        String address = start(jvm, words).path("listen").asText();
        UnixDomainSocketAddress api = UnixDomainSocketAddress.of(socket);
        return new Side(new ApiClient(api), api, address, processes.getLast().pid());
    }

    private JsonNode start(List<String> jvm, List<String> words) throws IOException {
        AgentProcess process = AgentProcess.start(jvm, words, folder.resolve("services.log"));
        processes.add(process);
        JsonNode ready = process.await("ready", event -> { });
        if (ready == null) {
            throw new IOException(words.getFirst() + " did not start: " + process.words());
        }
        return ready;
    }

    /** {@return the agent from which guests go out} */
    public Side source() {
        return source;
    }

    /** {@return the other one} */
    public Side target() {
        return target;
    }

    /** {@return the process of the guard service} */
    public long guardPid() {
        return processes.getFirst().pid();
    }

    /**
     * Moves a guest: a place is opened at the target, the source is asked, and its end awaited.
     *
     * @param guest at the source, a workload or a name of the address book
     * @param onto  likewise, at the target
     * @return the source's report, of a failed move too
     * @throws IOException when an agent cannot be asked, or refuses before there is a report
     */
    public JsonNode move(String guest, String onto) throws IOException {
        target.open(SLOT, onto);
        try {
            return source.ended(source.submit(guest, target, SLOT));
        } finally {
            target.delete(SLOT);
        }
    }

    @Override
    public void close() {
        processes.reversed().forEach(AgentProcess::close);
    }
}
