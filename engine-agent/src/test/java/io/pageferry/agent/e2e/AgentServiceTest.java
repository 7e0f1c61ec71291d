package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.host.linux.NotifySocket;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Agents as services: each a process, told by its API what to do, killed, stopped, restarted. */
class AgentServiceTest extends WithRig {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SLOW = "workload:64MiB?rate=0&fill=random";
    private static final String SLOWLY = "1Mbit/s";

    /** One service and its API. */
    private record Service(Agent agent, ApiClient api, String listens) {
        JsonNode call(String method, String path) throws IOException {
            return api.call(method, path);
        }

        String submit(String guest, Service to, String slot, String bandwidth)
                throws IOException {
            ObjectNode body = JSON.createObjectNode().put("guest", guest)
                    .put("to", to.listens()).put("slot", slot);
            body.putObject("options").put("bandwidth", bandwidth);
            return api.call("POST", "/v1/migrations", body).path("id").asText();
        }

        void slot(String name) throws IOException {
            api.call("PUT", "/v1/slots/" + name,
                    JSON.createObjectNode().put("guest", "workload:64MiB"));
        }

        JsonNode migration(String id) throws IOException {
            return call("GET", "/v1/migrations/" + id);
        }

        JsonNode ended(String id) throws IOException {
            return call("GET", "/v1/migrations/" + id + "?wait=ended&timeout=100s");
        }

        void awaitState(String id, String state) throws IOException {
            Poll.until(() -> states(id).contains(state),
                    () -> agent + " does not come to " + state + " with " + id);
        }

        /** A target knows a migration from its first page on. */
        private List<String> states(String id) throws IOException {
            List<String> states = new ArrayList<>();
            call("GET", "/v1/migrations").path("migrations").forEach(one -> {
                if (one.path("id").asText().equals(id)) {
                    states.add(one.path("state").asText());
                }
            });
            return states;
        }
    }

    private Service serve(String name, List<String> prefix, String... more) throws IOException {
        return held(name, "", prefix, more);
    }

    private Service held(String name, String hold, List<String> prefix, String... more)
            throws IOException {
        Path socket = folder.resolve(name + ".sock");
        List<String> arguments = with(List.of("agent", "--listen", "127.0.0.1:0", "--api",
                "unix:" + socket, "--state-dir", folder.resolve(name).toString(),
                "--settle-window", "2s"), more);
        Agent agent = rig.start(new Start(prefix, List.of(), arguments, hold));
        ObjectNode ready = agent.await("ready", event ->
                event.path("event").asText().equals("ready"));
        assertEquals("unix:" + socket, ready.path("api").asText());
        return new Service(agent, new ApiClient(UnixDomainSocketAddress.of(socket)),
                ready.path("listen").asText());
    }

    /** Its guests were in it. */
    @Test
    void aKilledAgentSaysWhatBecameOfItsMoves() throws IOException {
        Service source = serve("source", List.of());
        Service target = serve("target", List.of());
        List<String> moves = new ArrayList<>();
        for (String slot : List.of("a", "b")) {
            target.slot(slot);
            moves.add(source.submit(SLOW, target, slot, SLOWLY));
        }
        for (String id : moves) {
            target.awaitState(id, "receiving");
        }
        source.agent().kill();
        Service again = serve("source", List.of());
        for (String id : moves) {
            JsonNode here = again.migration(id);
            assertEquals("ended", here.path("phase").asText(), here::toString);
            assertEquals("failed", here.path("result").asText(), here::toString);
            assertTrue(here.at("/report/error/reason").asText().contains(
                    "the agent ended in the middle of it"), here::toString);
        }
        String id = again.submit("workload:8MiB", again, "none", "1Gbit/s");
        assertEquals("refused", again.ended(id).path("result").asText());
    }

    @Test
    void metricsAreOnTheLoopbackWhereTheyAreAskedFor() throws IOException {
        Service service = serve("source", List.of(), "--metrics", "127.0.0.1:0");
        String at = "http://" + service.agent().await("ready", event ->
                event.path("event").asText().equals("ready")).path("metrics").asText();
        try (InputStream page = URI.create(at + "/metrics").toURL().openStream()) {
            String text = new String(page.readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(text.contains("pageferry_queue_length 0"), text);
        }
        URL other = URI.create(at + "/v1/health").toURL();
        assertThrows(FileNotFoundException.class, other::openStream, "more than metrics");
    }

    @Test
    void whatNobodyKnowsIsInDoubtWithItsReason() throws IOException {
        Service source = held("source", "granted", List.of());
        Service target = serve("target", List.of());
        target.slot("a");
        String id = source.submit("workload:64MiB", target, "a", "1Gbit/s");
        source.awaitState(id, "granted");
        target.agent().signal(Signal.STOP);
        source.agent().kill();
        Service again = serve("source", List.of());
        JsonNode doubt = again.migration(id);
        assertEquals("in-doubt", doubt.path("result").asText(), doubt::toString);
        assertEquals(6, doubt.path("exitCode").asInt(), doubt::toString);
        assertTrue(doubt.at("/report/error/reason").asText().contains("no answer from the target"),
                doubt::toString);
        JsonNode settled = again.api().call("POST", "/v1/migrations/" + id + "/settle",
                JSON.createObjectNode().put("owner", "target"));
        assertEquals("completed", settled.path("result").asText(), settled::toString);
        assertEquals("completed", again.migration(id).path("result").asText());
        target.agent().signal(Signal.CONT);
    }

    @Test
    void aStoppedAgentEndsItsMovesAndTellsItsManager() throws IOException {
        String name = folder.resolve("notify").toString();
        try (NotifySocket manager = new NotifySocket(name)) {
            Service agent = serve("one", List.of("env", "NOTIFY_SOCKET=" + name,
                    "WATCHDOG_USEC=1000000"), "--max-parallel", "1");
            Poll.until(() -> manager.poll().startsWith("READY=1"), () -> "not told to be ready");
            agent.slot("a");
            String moves = agent.submit(SLOW, agent, "a", SLOWLY);
            String waits = agent.submit(SLOW, agent, "b", SLOWLY);
            agent.awaitState(moves, "precopy");
            Poll.until(() -> manager.poll().equals("WATCHDOG=1"), () -> "no watchdog");
            agent.agent().signal(Signal.TERM);
            assertEquals(0, agent.agent().exit(), agent.agent()::toString);
            StringBuilder told = new StringBuilder();
            for (String one = manager.poll(); !one.isEmpty(); one = manager.poll()) {
                told.append(one).append('\n');
            }
            assertTrue(told.toString().contains("STOPPING=1"), told::toString);
            Service again = serve("one", List.of());
            for (String id : List.of(moves, waits)) {
                JsonNode ended = again.migration(id);
                assertEquals("cancelled", ended.path("result").asText(), ended::toString);
                assertEquals(7, ended.path("exitCode").asInt());
            }
        }
    }

    @Test
    void aStoppedAgentMayWaitForItsMoves() throws IOException {
        Service agent = serve("one", List.of(), "--wait", "--history", "1d/1MiB");
        agent.slot("a");
        String id = agent.submit(SLOW, agent, "a", "100Mbit/s");
        agent.awaitState(id, "precopy");
        agent.agent().signal(Signal.TERM);
        assertEquals(0, agent.agent().exit(), agent.agent()::toString);
        JsonNode ended = serve("one", List.of()).migration(id);
        assertEquals("completed", ended.path("result").asText(), ended::toString);
    }

    @Test
    void aConfigFileHasTheOptionsOfTheCommandLine() throws IOException {
        Path config = Files.writeString(folder.resolve("agent.conf"), "# what is usual here\n"
                + "max-parallel = 1\nhistory=1d/1MiB\n\nbandwidth = 1Gbit/s\ninsecure = false\n"
                + "listen = nowhere\nwait\n");
        Files.writeString(folder.resolve("guests.json"),
                "{\"guests\":[{\"name\":\"w\",\"uri\":\"" + SLOW + "\"}]}");
        Service agent = serve("one", List.of(), "--config", config.toString());
        assertEquals("w", agent.call("GET", "/v1/guests").at("/guests/0/name").asText());
        String first = agent.submit("w", agent, "a", SLOWLY);
        assertEquals("w", agent.migration(first).path("guest").asText());
        Agent second = rig.start("", List.of("agent", "--listen", "127.0.0.1:0", "--api",
                "unix:" + folder.resolve("two.sock"), "--state-dir",
                folder.resolve("one").toString()));
        assertEquals(3, second.exit(), second::toString);
        assertTrue(second.words().contains("another agent runs with the state directory"),
                second::toString);
        Files.writeString(config, "nonsense = 1");
        Agent wrong = rig.start("", List.of("agent", "--config", config.toString()));
        assertEquals(2, wrong.exit(), wrong::toString);
        assertTrue(wrong.words().contains("agent.conf:1: 'nonsense' is no option of agent"),
                wrong::toString);
    }
}
