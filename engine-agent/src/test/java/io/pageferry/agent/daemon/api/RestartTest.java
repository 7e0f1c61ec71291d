package io.pageferry.agent.daemon.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.daemon.api.AgentRig.Reply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an agent still knows when it is started again. */
class RestartTest {
    private static final String GUEST = "{\"guest\":\"workload:8MiB\"}";

    @TempDir
    private Path folder;

    private void book(String uri) throws IOException {
        Files.writeString(folder.resolve("guests.json"), uri.isEmpty() ? "{\"guests\":[]}"
                : "{\"guests\":[{\"name\":\"web\",\"uri\":\"" + uri + "\"}]}");
    }

    @Test
    void slotsComeBackButThoseThatWereDeleted() throws IOException {
        try (AgentRig rig = new AgentRig(folder)) {
            rig.call("PUT", "/v1/slots/a", GUEST);
            rig.call("PUT", "/v1/slots/b", GUEST);
            rig.call("PUT", "/v1/slots/c", "{\"guest\":\"workload:16MiB\"}");
            rig.call("PUT", "/v1/slots/c", GUEST);
            assertEquals(204, rig.call("DELETE", "/v1/slots/b").status());
            String id = rig.submit("workload:8MiB?rate=0", rig, "a", "{}");
            assertEquals("completed", rig.ended(id).path("result").asText());
        }
        try (AgentRig rig = new AgentRig(folder)) {
            JsonNode slots = rig.call("GET", "/v1/slots").body().path("slots");
            assertEquals(2, slots.size(), slots::toString);
            for (int i = 0; i < 2; i++) {
                assertEquals(i == 0 ? "a" : "c", slots.path(i).path("name").asText());
                assertEquals("workload:8MiB", slots.path(i).path("guest").asText());
                // The guest that lived in the agent is gone with it.
                assertEquals("waiting", slots.path(i).path("state").asText());
            }
            String id = rig.submit("workload:8MiB?rate=0", rig, "c", "{}");
            assertEquals("completed", rig.ended(id).path("result").asText());
        }
    }

    @Test
    void aSlotWhoseGuestIsThereWaitsForNoOtherOne() throws IOException {
        book("image:" + folder.resolve("image"));
        try (AgentRig rig = new AgentRig(folder)) {
            assertEquals(201, rig.call("PUT", "/v1/slots/a", "{\"guest\":\"web\"}").status());
            String id = rig.submit("workload:8MiB?rate=0", rig, "a", "{}");
            assertEquals("completed", rig.ended(id).path("result").asText());
            rig.call("GET", "/v1/migrations/" + id + "?side=target&wait=ended&timeout=60s");
        }
        try (AgentRig rig = new AgentRig(folder)) {
            assertEquals(404, rig.call("GET", "/v1/slots/a").status());
        }
    }

    @Test
    void aSlotThatCannotBeOpenedIsListedAsClosed() throws IOException {
        book("image:" + folder.resolve("image"));
        try (AgentRig rig = new AgentRig(folder)) {
            rig.call("PUT", "/v1/slots/a", "{\"guest\":\"web\"}");
        }
        book("");
        try (AgentRig rig = new AgentRig(folder)) {
            assertEquals("closed", rig.call("GET", "/v1/slots/a").text("/state"));
            assertEquals("closed", rig.call("GET", "/v1/slots").text("/slots/0/state"));
            book("image:" + folder.resolve("other"));
            assertEquals(201, rig.call("PUT", "/v1/slots/a", "{\"guest\":\"web\"}").status());
            assertEquals("waiting", rig.call("GET", "/v1/slots/a").text("/state"));
        }
        book("");
        try (AgentRig rig = new AgentRig(folder)) {
            assertEquals(204, rig.call("DELETE", "/v1/slots/a").status());
            assertEquals(404, rig.call("GET", "/v1/slots/a").status());
        }
    }

    @Test
    void aKeyThatWasAnsweredAnswersTheSame() throws IOException {
        String body = "{\"guest\":\"workload:8MiB\",\"to\":\"127.0.0.1:1\",\"slot\":\"s\","
                + "\"options\":{\"bandwidth\":\"1Gbit/s\"}}";
        Map<String, String> key = Map.of("idempotency-key", "k1");
        String id;
        try (AgentRig rig = new AgentRig(folder)) {
            Reply first = rig.call("POST", "/v1/migrations", body, key);
            assertEquals(202, first.status(), first::toString);
            id = first.text("/id");
            assertEquals("refused", rig.ended(id).path("result").asText());
        }
        try (AgentRig rig = new AgentRig(folder)) {
            Reply again = rig.call("POST", "/v1/migrations", body, key);
            assertEquals(202, again.status(), again::toString);
            assertEquals(id, again.text("/id"));
            assertEquals("/v1/migrations/" + id, again.headers().get("Location"));
            assertEquals("refused", again.text("/result"), again::toString);
            assertTrue(again.body().path("log").isMissingNode(), again::toString);
            Reply other = rig.call("POST", "/v1/migrations", body.replace("8MiB", "9MiB"), key);
            assertEquals(409, other.status(), other::toString);
            Reply fresh = rig.call("POST", "/v1/migrations", body,
                    Map.of("idempotency-key", "k2"));
            assertNotEquals(id, fresh.text("/id"), fresh::toString);
        }
    }

    /** A newer version wrote it, or it is damaged: the guest may be paused. */
    @Test
    void aJournalThatCannotBeReadIsAGuestInDoubt() throws IOException {
        UUID id = UUID.randomUUID();
        Path journal = folder.resolve(id + ".source.journal");
        Files.createDirectories(folder);
        Files.writeString(journal, "{\"schema\":\"pageferry.journal/9\"}\t00000000\n");
        try (AgentRig rig = new AgentRig(folder)) {
            Reply doubt = rig.call("GET", "/v1/migrations/" + id);
            assertEquals("in-doubt", doubt.text("/result"), doubt::toString);
            assertTrue(doubt.text("/report/error/reason").contains(journal.getFileName()
                    + " is damaged in line 1"), doubt::toString);
            assertTrue(rig.call("GET", "/metrics").text("/text").contains("pageferry_in_doubt 1"));
        }
    }
}
