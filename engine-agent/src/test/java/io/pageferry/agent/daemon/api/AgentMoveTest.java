package io.pageferry.agent.daemon.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.daemon.api.AgentRig.Reply;
import io.pageferry.agent.e2e.Poll;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guests move between two agents that are told so by their APIs. */
class AgentMoveTest {
    private static final String GUEST = "workload:8MiB?rate=1MiB/s";

    @TempDir
    private Path folder;

    @Test
    void guestsMoveBothWaysAtOnce() throws Exception {
        try (AgentRig here = new AgentRig(folder.resolve("here"));
                AgentRig there = new AgentRig(folder.resolve("there"))) {
            List<String> away = new ArrayList<>();
            List<String> back = new ArrayList<>();
            for (String slot : List.of("a", "b")) {
                for (AgentRig rig : List.of(here, there)) {
                    assertEquals(201, rig.call("PUT", "/v1/slots/" + slot,
                            "{\"guest\":\"workload:8MiB\"}").status());
                    assertEquals(200, rig.call("PUT", "/v1/slots/" + slot,
                            "{\"guest\":\"workload:8MiB\"}").status());
                }
                away.add(here.submit(GUEST, there, slot, "{\"audit\":true,\"channels\":2}"));
                back.add(there.submit(GUEST, here, slot, "{}"));
            }
            for (String id : away) {
                assertMoved(here, there, id);
            }
            for (String id : back) {
                assertMoved(there, here, id);
            }
            Reply slots = there.call("GET", "/v1/slots");
            assertEquals("full", slots.text("/slots/0/state"), slots::toString);
            assertEquals(away.getFirst(), slots.text("/slots/0/migration"), slots::toString);
            assertEquals(204, there.call("DELETE", "/v1/slots/a").status());
            assertEquals(404, there.call("GET", "/v1/slots/a").status());
            assertTrue(there.call("GET", "/metrics").text("/text").contains(
                    "pageferry_migrations_total{result=\"completed\"} 4.0"));
        }
    }

    private static void assertMoved(AgentRig source, AgentRig target, String id)
            throws Exception {
        JsonNode sent = source.ended(id);
        assertEquals("completed", sent.path("result").asText(), sent::toString);
        assertEquals(0, sent.path("exitCode").asInt(-1));
        assertEquals("source", sent.path("side").asText());
        assertTrue(sent.at("/report/verification/match").asBoolean(), sent::toString);
        assertTrue(sent.path("wireBytes").asLong() > 0, sent::toString);
        JsonNode came = target.ended(id);
        assertEquals("completed", came.path("result").asText(), came::toString);
        assertEquals("target", came.path("side").asText());
        assertEquals(sent.at("/report/verification/targetDigest"),
                came.at("/report/verification/targetDigest"));
        assertFalse(source.call("GET", "/v1/migrations/" + id + "/log").body().path("log")
                .isEmpty());
        assertEquals(id, source.call("GET", "/v1/migrations/" + id + "/report")
                .text("/migrationId"));
    }

    @Test
    void aMoveWithinOneAgentHasTwoSides() throws Exception {
        try (AgentRig rig = new AgentRig(folder)) {
            rig.call("PUT", "/v1/slots/x", "{\"guest\":\"workload:8MiB\"}");
            String id = rig.submit(GUEST, rig, "x", "{}");
            assertEquals("completed", rig.ended(id).path("result").asText());
            Reply target = rig.call("GET", "/v1/migrations/" + id
                    + "?side=target&wait=ended&timeout=60s");
            assertEquals("target", target.text("/side"), target::toString);
            assertEquals("completed", target.text("/result"), target::toString);
            assertEquals(2, rig.call("GET", "/v1/migrations?phase=ended").body()
                    .path("migrations").size());
        }
    }

    @Test
    void anOfferThatIsRefusedIsNoMigrationOfTheTarget() throws Exception {
        try (AgentRig source = new AgentRig(folder.resolve("source"));
                AgentRig target = new AgentRig(folder.resolve("target"))) {
            target.call("PUT", "/v1/slots/x", "{\"guest\":\"workload:16MiB\"}");
            String id = source.submit("workload:8MiB?rate=0", target, "x", "{}");
            assertEquals("refused", source.ended(id).path("result").asText());
            Poll.until(() -> target.call("GET", "/v1/slots/x").text("/state").equals("waiting"),
                    () -> "the slot does not wait");
            assertEquals(0, target.call("GET", "/v1/migrations").body().path("migrations").size());
        }
    }

    @Test
    void whatEndedIsThereAfterARestart() throws Exception {
        String id;
        try (AgentRig rig = new AgentRig(folder)) {
            id = rig.submit(GUEST, rig, "none-such", "{}");
            JsonNode ended = rig.ended(id);
            assertEquals("refused", ended.path("result").asText(), ended::toString);
            assertEquals(3, ended.path("exitCode").asInt());
        }
        try (AgentRig rig = new AgentRig(folder)) {
            Reply after = rig.call("GET", "/v1/migrations/" + id);
            assertEquals("refused", after.text("/result"), after::toString);
            assertEquals(id, after.text("/report/migrationId"));
            assertEquals(id, rig.call("GET", "/v1/migrations?phase=ended")
                    .text("/migrations/0/id"));
        }
    }

    @Test
    void aCancelledGuestStaysAndTheSlotWaitsAgain() throws Exception {
        try (AgentRig rig = new AgentRig(folder)) {
            rig.call("PUT", "/v1/slots/x", "{\"guest\":\"workload:64MiB\"}");
            String id = rig.submit("workload:64MiB?rate=0&fill=random", rig, "x",
                    "{\"bandwidth\":\"1Mbit/s\"}");
            Poll.until(() -> !Set.of("queued", "opening", "negotiating").contains(
                    rig.call("GET", "/v1/migrations/" + id).text("/state")), () -> "no end");
            Reply moving = rig.call("GET", "/v1/migrations/" + id);
            assertEquals("precopy", moving.text("/state"), moving::toString);
            assertEquals(202, rig.call("POST", "/v1/migrations/" + id + "/cancel").status());
            JsonNode ended = rig.ended(id);
            assertEquals("cancelled", ended.path("result").asText(), ended::toString);
            assertEquals(7, ended.path("exitCode").asInt());
            Poll.until(() -> rig.call("GET", "/v1/slots/x").text("/state").equals("waiting"),
                    () -> "the slot does not wait");
            assertEquals(409, rig.call("POST", "/v1/migrations/" + id + "/cancel").status());
        }
    }

    @Test
    void aSlotThatIsDeletedWhileAGuestComesEndsThatMoveAlone() throws Exception {
        try (AgentRig rig = new AgentRig(folder)) {
            for (String slot : List.of("x", "y")) {
                rig.call("PUT", "/v1/slots/" + slot, "{\"guest\":\"workload:64MiB\"}");
            }
            String slow = "workload:64MiB?rate=0&fill=random";
            String id = rig.submit(slow, rig, "x", "{\"bandwidth\":\"1Mbit/s\"}");
            String other = rig.submit(slow, rig, "y", "{\"bandwidth\":\"1Mbit/s\"}");
            String target = "/v1/migrations/%s?side=target";
            for (String one : List.of(id, other)) {
                Poll.until(() -> rig.call("GET", target.formatted(one)).text("/state")
                        .equals("receiving"), () -> "no page comes");
            }
            assertEquals(204, rig.call("DELETE", "/v1/slots/x").status());
            assertEquals(404, rig.call("GET", "/v1/slots/x").status());
            JsonNode sent = rig.ended(id);
            assertEquals("failed", sent.path("result").asText(), sent::toString);
            assertEquals(4, sent.path("exitCode").asInt(), sent::toString);
            Reply came = rig.call("GET", target.formatted(id));
            assertEquals("failed", came.text("/result"), came::toString);
            assertEquals("cancelled", came.text("/report/error/code"), came::toString);
            assertEquals("receiving", rig.call("GET", target.formatted(other)).text("/state"));
            // The name is free for another guest.
            assertEquals(201, rig.call("PUT", "/v1/slots/x", "{\"guest\":\"workload:8MiB\"}")
                    .status());
        }
    }
}
