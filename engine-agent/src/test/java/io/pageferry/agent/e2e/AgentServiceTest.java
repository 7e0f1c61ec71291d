package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.client.ApiException;
import io.pageferry.agent.host.linux.NotifySocket;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.state.journal.HeldLock;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Agents as services: each a process, told by its API what to do, killed, stopped, restarted. */
class AgentServiceTest extends WithRig {
    private static final long ASKS_AGAIN = 6_000_000_000L;
    private static final String SLOW = "workload:64MiB?rate=0&fill=random";
    private static final String SLOWLY = "1Mbit/s";

    private ServedAgent serve(String name, List<String> prefix, String... more)
            throws IOException {
        return held(name, "", prefix, more);
    }

    private ServedAgent held(String name, String hold, List<String> prefix, String... more)
            throws IOException {
        return ServedAgent.start(new ServedAgent.Place(rig, name, "127.0.0.1:0"), hold, prefix,
                more);
    }

    /** Its guests were in it; one waited for its turn. */
    @Test
    void aKilledAgentSaysWhatBecameOfItsMoves() throws IOException {
        ServedAgent source = serve("source", List.of(), "--max-parallel", "2");
        ServedAgent target = serve("target", List.of());
        List<String> moves = new ArrayList<>();
        for (String slot : List.of("a", "b")) {
            target.slot(slot);
            moves.add(source.submit(SLOW, target, slot, SLOWLY));
        }
        String waits = source.submit(SLOW, target, "c", SLOWLY);
        for (String id : moves) {
            target.awaitState(id, "receiving");
        }
        assertEquals("queued", source.migration(waits).path("phase").asText());
        source.agent().kill();
        ServedAgent again = serve("source", List.of());
        for (String id : moves) {
            assertTrue(failed(again, id).contains("settled: the source owns the guest"), id);
        }
        assertTrue(failed(again, waits).contains("nothing of the guest had moved"), waits);
        assertEquals("c", again.migration(waits).path("slot").asText());
        String id = again.submit("workload:8MiB", again, "none", "1Gbit/s");
        assertEquals("refused", again.ended(id).path("result").asText());
    }

    /** Returns why. */
    private static String failed(ServedAgent agent, String id) throws IOException {
        JsonNode here = agent.migration(id);
        assertEquals("ended", here.path("phase").asText(), here::toString);
        assertEquals("failed", here.path("result").asText(), here::toString);
        String why = here.at("/report/error/reason").asText();
        assertTrue(why.contains("the agent ended in the middle of it"), here::toString);
        return why;
    }

    @Test
    void metricsAreOnTheLoopbackWhereTheyAreAskedFor() throws IOException {
        ServedAgent service = serve("source", List.of(), "--metrics", "127.0.0.1:0");
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
        ServedAgent source = held("source", "granted", List.of());
        ServedAgent target = serve("target", List.of());
        target.slot("a");
        String id = source.submit("workload:64MiB", target, "a", "1Gbit/s");
        source.awaitState(id, "granted");
        target.agent().signal(Signal.STOP);
        source.agent().kill();
        ServedAgent again = serve("source", List.of());
        JsonNode doubt = again.migration(id);
        assertEquals("in-doubt", doubt.path("result").asText(), doubt::toString);
        assertEquals(6, doubt.path("exitCode").asInt(), doubt::toString);
        assertTrue(doubt.at("/report/error/reason").asText().contains("no answer from the target"),
                doubt::toString);
        // By then the agent asks again by itself, which takes as long as it may: the word waits.
        long since = System.nanoTime();
        Poll.until(() -> System.nanoTime() - since > ASKS_AGAIN, () -> "the clock stands still");
        JsonNode settled = again.api().call("POST", "/v1/migrations/" + id + "/settle",
                ServedAgent.JSON.createObjectNode().put("owner", "target"));
        assertEquals("completed", settled.path("result").asText(), settled::toString);
        assertEquals("completed", again.migration(id).path("result").asText());
        target.agent().signal(Signal.CONT);
    }

    @Test
    void aStoppedAgentEndsItsMovesAndTellsItsManager() throws IOException {
        String name = folder.resolve("notify").toString();
        try (NotifySocket manager = new NotifySocket(name)) {
            ServedAgent agent = serve("one", List.of("env", "NOTIFY_SOCKET=" + name,
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
            ServedAgent again = serve("one", List.of());
            for (String id : List.of(moves, waits)) {
                JsonNode ended = again.migration(id);
                assertEquals("cancelled", ended.path("result").asText(), ended::toString);
                assertEquals(7, ended.path("exitCode").asInt());
            }
        }
    }

    /** Its API answers to the end, and is gone before another agent may take its place. */
    @Test
    void aStoppedAgentMayWaitForItsMoves() throws IOException {
        String name = folder.resolve("notify").toString();
        try (NotifySocket manager = new NotifySocket(name)) {
            ServedAgent agent = serve("one", List.of("env", "NOTIFY_SOCKET=" + name), "--wait",
                    "--history", "1d/1MiB");
            waitsForItsMove(agent, manager);
        }
    }

    private void waitsForItsMove(ServedAgent agent, NotifySocket manager) throws IOException {
        agent.slot("a");
        String id = agent.submit(SLOW, agent, "a", "60Mbit/s");
        agent.awaitState(id, "precopy");
        agent.agent().signal(Signal.TERM);
        Poll.until(() -> agent.call("GET", "/v1/health").path("status").asText()
                .equals("stopping"), () -> "it does not stop");
        assertEquals("running", agent.migration(id).path("phase").asText());
        // Again and again, as its TimeoutStopSec= would end it and the move.
        for (int i = 0; i < 2; i++) {
            Poll.until(() -> manager.poll().equals("EXTEND_TIMEOUT_USEC=60000000"),
                    () -> "it asks for no time");
        }
        ApiException refused = assertThrows(ApiException.class,
                () -> agent.submit(SLOW, agent, "b", SLOWLY));
        assertTrue(refused.getMessage().contains("takes no new move"), refused.getMessage());
        Path lock = folder.resolve("one").resolve("agent.lock");
        Optional<HeldLock> free = HeldLock.tryLock(lock);
        for (long since = System.nanoTime(); free.isEmpty()
                && System.nanoTime() - since < Requirements.HANG.toNanos();) {
            LockSupport.parkNanos(50_000);
            free = HeldLock.tryLock(lock);
        }
        assertFalse(Files.exists(folder.resolve("one.sock")));
        free.orElseThrow().close();
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
        ServedAgent agent = serve("one", List.of(), "--config", config.toString());
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
