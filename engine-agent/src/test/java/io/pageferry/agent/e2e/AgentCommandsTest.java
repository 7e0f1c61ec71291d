package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.client.LostAnswers;
import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Commands that have the agent of their host do the work, each a process of its own. */
class AgentCommandsTest extends WithRig {
    private static final String SLOW = "workload:64MiB?rate=0&fill=random";

    private String source;
    private String target;
    private final List<Agent> agents = new ArrayList<>();
    private String address;

    @BeforeEach
    void serve() throws IOException {
        source = "unix:" + folder.resolve("source.sock");
        target = "unix:" + folder.resolve("target.sock");
        serve(source);
        address = serve(target);
    }

    private String serve(String api) throws IOException {
        Agent agent = rig.command(List.of("agent", "--listen", "127.0.0.1:0", "--api", api,
                "--state-dir", api.substring(5) + "-state", "--settle-window", "2s"));
        agents.add(agent);
        return agent.await("ready", event -> event.path("event").asText().equals("ready"))
                .path("listen").asText();
    }

    private Agent start(String api, String... command) throws IOException {
        List<String> words = new ArrayList<>(List.of(command));
        words.addAll(List.of("--api", api));
        return rig.command(words);
    }

    private Agent ended(int code, String api, String... command) throws IOException {
        Agent agent = start(api, command);
        assertEquals(code, agent.exit(), agent::toString);
        return agent;
    }

    /** A move that goes on for as long as a test wants. */
    private Agent slowMove(String slot) throws IOException {
        ended(0, target, "receive", "workload:64MiB", "--slot", slot);
        Agent move = start(source, "migrate", SLOW, "--to", address, "--slot", slot,
                "--bandwidth", "1Mbit/s");
        move.awaitState("precopy");
        return move;
    }

    private static String id(Agent move) throws IOException {
        return move.await("state", event -> event.has("migration")).path("migration").asText();
    }

    @Test
    void aMoveByAgentsLooksLikeOneOfACommand() throws IOException {
        Agent slot = ended(0, target, "receive", "workload:16MiB", "--slot", "a");
        assertEquals("waiting", slot.events().getLast().path("state").asText());

        Agent move = rig.command(List.of("--api", source, "migrate", "workload:16MiB?rate=5MiB/s",
                "--to", address, "--slot", "a"));
        assertEquals(0, move.exit(), move::toString);
        assertEquals("completed", move.report().path("result").asText());
        assertEquals("sent", move.report().at("/verification/method").asText());
        assertEquals(List.of("negotiating", "precopy", "switchover", "granted", "done", "ended"),
                move.states());
        assertTrue(move.words().contains("round  0 "), move::toString);

        // All of a host is in one process: only guards are others, and these guests need none.
        for (Agent one : agents) {
            assertEquals(0, ProcessHandle.of(one.pid()).orElseThrow().descendants().count());
        }

        String id = move.report().path("migrationId").asText();
        List<ObjectNode> known = ended(0, target, "status").events();
        assertEquals("full", known.getFirst().path("state").asText(), known::toString);
        assertEquals(id, known.getLast().path("id").asText(), known::toString);
        assertEquals(id, ended(0, source, "history").events().getLast().path("id").asText());
        assertEquals(move.report().path("downtimeMs"),
                ended(0, source, "history", id).events().getLast().path("downtimeMs"));
        assertEquals(List.of(), ended(0, source, "top").events());
        assertEquals("report", ended(0, source, "watch", id).events().getLast().path("event")
                .asText());
        ended(3, source, "cancel", id);
    }

    @Test
    void limitsOfAMoveChangeAndCtrlCCancelsIt() throws IOException {
        Agent events = start(source, "events");
        Agent move = slowMove("a");
        String id = id(move);
        ObjectNode limits = ended(0, source, "limits", id, "--bandwidth", "2Mbit/s").events()
                .getLast();
        assertEquals("2Mbit/s", limits.path("bandwidth").asText(), limits::toString);
        move.await("limits", event -> event.path("event").asText().equals("limits"));
        assertEquals(id, ended(0, source, "top").events().getLast().path("id").asText());

        move.signal(Signal.INT);
        assertEquals(7, move.exit(), move::toString);
        assertEquals("cancelled", move.report().path("result").asText());
        events.await("report", event -> event.path("event").asText().equals("report")
                && event.path("migration").asText().equals(id));
    }

    @Test
    void aSecondCtrlCLeavesAMoveToTheAgent() throws IOException {
        Agent move = slowMove("a");
        String id = id(move);
        Agent watch = start(source, "watch", id);
        watch.awaitState("precopy");
        move.signal(Signal.STOP);
        move.signal(Signal.INT);
        move.signal(Signal.CONT);
        Poll.until(() -> move.words().contains("cancelling migration " + id),
                () -> "the first one is not heard: " + move);
        move.signal(Signal.INT);
        int code = move.exit();
        assertTrue(code == 130 || code == 7, move::toString);
        assertEquals(code == 130, move.words().contains("is left to the agent"), move::toString);
        assertEquals(7, watch.exit(), watch::toString);
    }

    @Test
    void aMoveWhoseBeginningWasNotAnsweredIsOneMove() throws IOException {
        ended(0, target, "receive", "workload:16MiB", "--slot", "a");
        Path relay = folder.resolve("relay.sock");
        try (LostAnswers lost = new LostAnswers(relay, Path.of(source.substring(5)), 1)) {
            Agent move = ended(0, "unix:" + relay, "migrate", "workload:16MiB?rate=5MiB/s",
                    "--to", address, "--slot", "a");
            assertEquals(0, lost.left());
            assertEquals("completed", move.report().path("result").asText());
            List<ObjectNode> all = ended(0, source, "history").events();
            assertEquals(List.of(move.report().path("migrationId").asText()),
                    all.stream().map(one -> one.path("id").asText()).toList());
        }
    }

    @Test
    void standaloneAsksNoAgent() throws IOException {
        Agent alone = ended(3, source, "migrate", "workload:1MiB", "--to", "127.0.0.1:1",
                "--standalone");
        assertFalse(alone.words().contains("no agent"), alone::toString);
        assertEquals(List.of(), ended(0, source, "history").events());
        Agent nobody = ended(3, target + "-no", "status");
        assertTrue(nobody.words().contains("no agent answers at " + target + "-no"),
                nobody::toString);
    }

    @Test
    void whatIsForTheOperatorOfTheAgentToSayIsRefused() throws IOException {
        Agent move = ended(2, source, "migrate", "workload:1MiB", "--to", address, "--capture",
                "file");
        assertTrue(move.words().contains("--capture is not for a move by the agent"),
                move::toString);
        Agent slot = ended(2, target, "receive", "workload:1MiB", "--slot", "a", "--prealloc");
        assertTrue(slot.words().contains("a slot of the agent has no --prealloc"),
                slot::toString);
        assertEquals(List.of(), ended(0, target, "status").events());
    }

    /** The agent has another folder. */
    @Test
    void aRelativePathIsOneOfTheCaller() throws IOException {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Agent move = rig.command(new Start(List.of("env", "-C", elsewhere.toString()), List.of(),
                List.of("migrate", "disk:none.raw", "--to", address, "--api", source)));
        assertEquals(3, move.exit(), move::toString);
        assertTrue(move.words().contains(elsewhere.toRealPath().resolve("none.raw").toString()),
                move::toString);
    }
}
