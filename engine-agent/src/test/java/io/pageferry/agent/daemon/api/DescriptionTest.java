package io.pageferry.agent.daemon.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.daemon.api.AgentRig.Reply;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The description of the API says what there is, and no more. */
class DescriptionTest {
    @TempDir
    private Path folder;

    private AgentRig rig;
    private JsonNode description;

    @BeforeEach
    void open() throws Exception {
        rig = new AgentRig(folder);
        description = rig.call("GET", "/v1/openapi.json").body();
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private static Set<String> names(JsonNode object) {
        Set<String> names = new TreeSet<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private Set<String> described(String schema) {
        return names(description.at("/components/schemas/" + schema + "/properties"));
    }

    @Test
    void itHasEveryRoute() {
        Set<String> described = new TreeSet<>();
        description.path("paths").properties().forEach(path -> path.getValue().fieldNames()
                .forEachRemaining(method -> described.add(
                        method.toUpperCase(java.util.Locale.ROOT) + " " + path.getKey())));
        assertEquals(rig.api().routes().stream().map(route -> route.method() + " " + route.path())
                .collect(Collectors.toCollection(TreeSet::new)), described);
    }

    @Test
    void itHasEveryField() throws Exception {
        String id = rig.submit("workload:8MiB", rig, "none", "{}");
        JsonNode ended = rig.ended(id);
        assertEquals(described("Migration"), names(ended));
        assertEquals(described("Limits"), names(ended.path("limits")));
        assertEquals(described("Health"), names(rig.call("GET", "/v1/health").body()));
        assertEquals(described("Problem"), names(rig.call("GET", "/nothing").body()));
        assertEquals(described("Slot"), names(rig.call("PUT", "/v1/slots/a",
                "{\"guest\":\"workload:8MiB\"}").body()));
        Path book = folder.resolve("guests.json");
        Files.createFile(book, PosixFilePermissions.asFileAttribute(
                PosixFilePermissions.fromString("rw-------")));
        Files.writeString(book, "{\"guests\":[{\"name\":\"w\",\"uri\":\"workload:8MiB\"}]}");
        assertEquals(described("Guest"), names(rig.call("GET", "/v1/guests").body()
                .at("/guests/0")));
    }

    /** What a body may have is what its refusal lists. */
    @Test
    void itHasEveryFieldOfEveryBody() throws Exception {
        assertBody("POST", "/v1/migrations", "Move");
        assertBody("PUT", "/v1/slots/a", "SlotGuest");
        String id = rig.submit("workload:8MiB", rig, "none", "{}");
        assertBody("PATCH", "/v1/migrations/" + id, "Limits");
        assertBody("POST", "/v1/migrations/" + id + "/settle", "Word");
        Reply options = rig.call("POST", "/v1/migrations", "{\"guest\":\"workload:8MiB\","
                + "\"to\":\"127.0.0.1:1\",\"options\":{\"nonsense\":1}}");
        assertEquals(names(description.at("/components/schemas/Move/properties/options/"
                + "properties")), listed(options.text("/remedy")));
    }

    private void assertBody(String method, String path, String schema) throws Exception {
        Reply reply = rig.call(method, path, "{\"nonsense\":1}");
        assertEquals(400, reply.status(), reply::toString);
        assertTrue(reply.text("/reason").startsWith("'nonsense' is no field"), reply::toString);
        assertEquals(described(schema), listed(reply.text("/reason")), schema);
    }

    private static Set<String> listed(String text) {
        return new TreeSet<>(Arrays.asList(text.substring(text.indexOf("there are ") + 10)
                .split(", ")));
    }
}
