package io.pageferry.agent.daemon.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.cli.call.CallWords;
import io.pageferry.agent.daemon.Daemon;
import io.pageferry.agent.daemon.api.AgentRig.Reply;
import io.pageferry.agent.e2e.Poll;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.transport.http.EventSink;
import io.pageferry.transport.http.HttpAnswer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ApiTest {
    /** It moves for minutes: 64 MiB that cannot be compressed, at 1 Mbit/s. */
    private static final String SLOW = "workload:64MiB?rate=0&fill=random";
    private static final String SLOWLY = "{\"bandwidth\":\"1Mbit/s\"}";

    @TempDir
    private Path folder;

    private AgentRig rig;

    @BeforeEach
    void open() throws IOException {
        rig = new AgentRig(folder, 1, 0);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    /** Takes what the API sends, as a connection would. */
    private static final class Reader implements EventSink {
        private final List<String> kinds = new CopyOnWriteArrayList<>();
        private final List<String> ids = new CopyOnWriteArrayList<>();
        private volatile String last = "";

        @Override
        public boolean send(String id, String event, String data) {
            kinds.add(event);
            ids.add(id);
            last = data;
            return true;
        }

        @Override
        public void onClose(Runnable then) {
            // It never goes away.
        }

        @Override
        public void close() {
            // It stays open.
        }
    }

    private Reader follow(String after) {
        Reader reader = new Reader();
        ((HttpAnswer.Events) rig.answer("GET", "/v1/events", "", after.isEmpty() ? Map.of()
                : Map.of("last-event-id", after))).start().accept(reader);
        return reader;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "404 | GET    | /nothing              |                       | there is no /nothing",
        "405 | DELETE | /v1/health            |                       | DELETE is nothing that",
        "404 | GET    | /v1/migrations/x      |                       | no migration x",
        "404 | GET    | /v1/slots/x           |                       | there is no slot x",
        "400 | PUT    | /v1/slots/X           | {\"guest\":\"workload:8MiB\"} | 'X' is no name",
        "400 | PUT    | /v1/slots/x           | {\"guest\":\"nowhere\"} | 'nowhere' names no guest",
        "403 | PUT    | /v1/slots/x           | {\"guest\":\"image:/x\"} | would name files",
        "403 | PUT    | /v1/slots/x           | {\"guest\":\"qemu:/x\"} | would name files",
        "400 | PUT    | /v1/slots/x           | {\"guest\":1}         | 'guest' is no text",
        "400 | PUT    | /v1/slots/x           | {\"tenant\":1}        | 'tenant' is no field",
        "400 | POST   | /v1/migrations        | [1]                   | no JSON object",
        "400 | POST   | /v1/migrations        | {                     | the body is no JSON",
        "400 | POST   | /v1/migrations        | {\"a\":1,\"a\":2}     | Duplicate field 'a'",
        "400 | POST   | /v1/migrations        | {\"guest\":\"workload:8MiB\"} | 'to' is missing",
        "400 | GET    | /v1/migrations?limit=0 |                      | limit 0 is not in 1",
    })
    void whatMakesNoSenseIsRefused(int status, String method, String target, String body,
            String reason) throws IOException {
        Reply reply = rig.call(method, target, body == null ? "" : body);
        assertEquals(status, reply.status(), reply::toString);
        assertEquals(status, reply.body().path("status").asInt());
        assertTrue(reply.text("/reason").contains(reason), reply::toString);
        assertNotEquals("", reply.text("/remedy"), reply::toString);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"linger\":\"3s\"}          | 'linger' is no option of a call",
        "{\"capture\":\"/tmp/x\"}     | 'capture' is no option of a call",
        "{\"quiesce\":\"rm x\"}       | 'quiesce' is no option of a call",
        "{\"insecure\":true}          | 'insecure' is no option of a call",
        "{\"max-downtime\":\"3s\"}    | 'max-downtime' is no option of a call",
        "{\"maxDowntime\":\"3x\"}     | '3x' is no duration",
        "{\"channels\":0}             | channels 0 is not in 1 to 64",
        "{\"audit\":\"perhaps\"}      | audit is neither true nor false",
        "{\"policy\":\"--audit\"}     | parameter for option 'policy'",
        "{\"bandwidth\":\"1bit/s\"}   | bandwidth 1bit/s is less than 1Mbit/s",
    })
    void optionsAreReadAsThoseOfTheCommandLine(String options, String reason)
            throws IOException {
        Reply reply = rig.call("POST", "/v1/migrations", "{\"guest\":\"workload:8MiB\",\"to\":\""
                + rig.address() + "\",\"options\":" + options + "}");
        assertEquals(400, reply.status(), reply::toString);
        assertTrue(reply.text("/reason").contains(reason), reply::toString);
    }

    @Test
    void anotherHostIsNotReachedWithoutEncryption() throws IOException {
        Reply reply = rig.call("POST", "/v1/migrations",
                "{\"guest\":\"workload:8MiB\",\"to\":\"192.0.2.1:4477\"}");
        assertEquals(400, reply.status(), reply::toString);
        assertTrue(reply.text("/reason").contains("no loopback address"), reply::toString);
    }

    @Test
    void aKeyMakesACallOneThatMayBeRepeated() throws IOException {
        String body = "{\"guest\":\"workload:8MiB\",\"to\":\"" + rig.address() + "\"}";
        Map<String, String> key = Map.of("idempotency-key", "k1");
        Reply first = rig.call("POST", "/v1/migrations", body, key);
        Reply again = rig.call("POST", "/v1/migrations", body, key);
        assertEquals(first.text("/id"), again.text("/id"));
        assertEquals(202, again.status());
        Reply other = rig.call("POST", "/v1/migrations", body.replace("8MiB", "9MiB"), key);
        assertEquals(409, other.status(), other::toString);
        assertNotEquals(first.text("/id"), rig.call("POST", "/v1/migrations", body)
                .text("/id"));
    }

    @Test
    void moreThanMayMoveWaitAndAreToldWhy() throws IOException {
        for (String slot : List.of("a", "b")) {
            rig.call("PUT", "/v1/slots/" + slot, "{\"guest\":\"workload:64MiB\"}");
        }
        Reader reader = follow("");
        String first = rig.submit(SLOW, rig, "a", SLOWLY);
        String second = rig.submit(SLOW, rig, "b", SLOWLY);
        String third = rig.submit(SLOW, rig, "b", "{}");
        JsonNode waiting = rig.call("GET", "/v1/migrations/" + third).body();
        assertEquals("queued", waiting.path("phase").asText(), waiting::toString);
        assertEquals(2, waiting.at("/queue/position").asInt(), waiting::toString);
        assertEquals("parallel", waiting.at("/queue/reason").asText(), waiting::toString);
        assertTrue(waiting.path("startedAt").isNull(), waiting::toString);
        assertTrue(reader.kinds.contains("queued"), () -> reader.kinds.toString());
        assertEquals(202, rig.call("POST", "/v1/migrations/" + second + "/cancel").status());
        assertEquals("cancelled", rig.ended(second).path("result").asText());
        assertEquals(202, rig.call("POST", "/v1/migrations/" + first + "/cancel").status());
        rig.ended(first);
        assertEquals("completed", rig.ended(third).path("result").asText());
    }

    @Test
    void limitsChangeAndAreChecked() throws IOException {
        rig.call("PUT", "/v1/slots/a", "{\"guest\":\"workload:64MiB\"}");
        Reader reader = follow("");
        String path = "/v1/migrations/" + rig.submit(SLOW, rig, "a", SLOWLY);
        Reply wrong = rig.call("PATCH", path, "{\"bandwidth\":\"fast\"}");
        assertEquals(400, wrong.status(), wrong::toString);
        assertEquals("1Mbit/s", rig.call("GET", path).text("/limits/bandwidth"));
        Reply changed = rig.call("PATCH", path, "{\"bandwidth\":null,\"maxDowntime\":\"2s\"}");
        assertEquals(200, changed.status(), changed::toString);
        assertTrue(changed.body().at("/limits/bandwidth").isNull(), changed::toString);
        assertEquals("2s", changed.text("/limits/maxDowntime"));
        assertTrue(reader.kinds.contains("limits"), () -> reader.kinds.toString());
        assertEquals("completed", rig.ended(path.substring(path.lastIndexOf('/') + 1))
                .path("result").asText());
        assertEquals(409, rig.call("PATCH", path, "{\"timeout\":\"1h\"}").status());
    }

    /** It may be the very host that was offered a guest, and runs it. */
    @Test
    void anotherHostNamesNothingOfThisOneAndDecidesNothing() throws IOException {
        for (String guest : List.of("qemu:/run/vm.qmp", "disk:/dev/sdb", "process:1")) {
            Reply named = rig.callOfPeer("POST", "/v1/migrations", "{\"guest\":\"" + guest
                    + "\",\"to\":\"127.0.0.1:1\"}");
            assertEquals(403, named.status(), named::toString);
        }
        String id = rig.submit("workload:1MiB?rate=0", rig, "none-such", "{}");
        rig.ended(id);
        String settle = "/v1/migrations/" + id + "/settle";
        for (String word : List.of("{\"owner\":\"target\"}",
                "{\"owner\":\"source\",\"targetIsFenced\":true}")) {
            Reply settled = rig.callOfPeer("POST", settle, word);
            assertEquals(403, settled.status(), settled::toString);
            assertEquals(409, rig.call("POST", settle, word).status());
        }
    }

    @Test
    void aMoveIsSaidInShort() throws IOException {
        Reply refused = rig.call("POST", "/v1/migrations", "{\"guest\":\"process:1?x="
                + "y".repeat(10_000) + "\",\"to\":\"127.0.0.1:1\"}");
        assertEquals(400, refused.status(), refused::toString);
        assertTrue(refused.text("/reason").contains("longer than 8192"), refused::toString);
    }

    @Test
    void eventsAreInOrderAndResumed() throws IOException {
        Reader reader = follow("");
        rig.ended(rig.submit("workload:8MiB", rig, "none", "{}"));
        Poll.until(() -> reader.kinds.contains("report"), () -> reader.kinds.toString());
        assertTrue(reader.last.contains("\"at\":") && reader.last.contains("\"migration\":"),
                reader.last);
        List<String> sorted = new ArrayList<>(reader.ids);
        sorted.sort(null);
        assertEquals(sorted, List.copyOf(reader.ids));
        assertEquals(reader.ids.subList(1, reader.ids.size()), follow(reader.ids.get(0)).ids);
        assertEquals(List.of(), follow(reader.ids.getLast()).kinds);
        assertEquals("gap", follow("1").kinds.getFirst());
    }

    /** Its image's folder is gone when it gets ready for the next offer. */
    @Test
    void aSlotThatEndedByItselfIsOpenedAgainByTheSamePut() throws IOException {
        Path images = Files.createDirectory(folder.resolve("images"));
        Files.writeString(folder.resolve("guests.json"), "{\"guests\":[{\"name\":\"web\",\"uri\":"
                + "\"image:" + images.resolve("web") + "\"}]}");
        String put = "{\"guest\":\"web\"}";
        assertEquals(201, rig.call("PUT", "/v1/slots/a", put).status());
        String id = rig.submit(SLOW, rig, "a", SLOWLY);
        Poll.until(() -> rig.call("GET", "/v1/migrations/" + id + "?side=target").status() == 200,
                () -> "no page came");
        try (Stream<Path> parts = Files.list(images)) {
            for (Path part : parts.toList()) {
                Files.delete(part);
            }
        }
        Files.delete(images);
        rig.call("POST", "/v1/migrations/" + id + "/cancel");
        Poll.until(() -> slotState().equals("closed"), this::slotState);
        Files.createDirectory(images);
        Reply again = rig.call("PUT", "/v1/slots/a", put);
        assertEquals(200, again.status(), again::toString);
        assertEquals("waiting", again.text("/state"));
    }

    private String slotState() {
        try {
            return rig.call("GET", "/v1/slots/a").text("/state");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aWaitEndsWithItsTime() throws IOException {
        rig.call("PUT", "/v1/slots/a", "{\"guest\":\"workload:64MiB\"}");
        String path = "/v1/migrations/" + rig.submit(SLOW, rig, "a", SLOWLY);
        assertEquals("running", rig.call("GET", path + "?wait=ended&timeout=10ms")
                .text("/phase"));
        assertEquals(409, rig.call("GET", path + "/report").status());
    }

    @Test
    void oneAgentHasAStateDirectory() {
        IOException refused = assertThrows(IOException.class, () -> Daemon.open(
                AgentRig.settings(folder, 1, 0),
                new CallWords(PeerTrust.of(Optional.empty()), false)));
        assertTrue(refused.getMessage().contains("another agent runs with the state directory"),
                refused.getMessage());
    }

    @Test
    void anAddressBookThatOthersMayWriteIsNotBelieved() throws IOException {
        Path book = Files.writeString(folder.resolve("guests.json"), "{\"guests\":[]}");
        Files.setPosixFilePermissions(book,
                java.nio.file.attribute.PosixFilePermissions.fromString("rw-rw-rw-"));
        Reply reply = rig.call("GET", "/v1/guests");
        assertEquals(500, reply.status(), reply::toString);
        assertTrue(reply.text("/reason").contains("other users"), reply::toString);
    }

    @Test
    void aStoppingAgentTakesNothingOn() throws IOException {
        rig.daemon.stop(false, () -> true);
        Reply reply = rig.call("POST", "/v1/migrations", "{\"guest\":\"workload:8MiB\",\"to\":\""
                + rig.address() + "\"}");
        assertEquals(503, reply.status(), reply::toString);
        assertEquals("stopping", rig.call("GET", "/v1/health").text("/status"));
    }
}
