package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.client.ApiClient;
import io.pageferry.agent.e2e.Agent.Start;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A host joins by a token, moves guests by what it got, renews it, and is revoked. */
class TrustJoinTest extends WithRig {
    private static final ObjectMapper JSON = new ObjectMapper();

    private record Service(ApiClient api, String listens) { }

    private Agent trust(String host, int exit, String... words) throws IOException {
        List<String> all = with(List.of("trust"), words);
        all.addAll(List.of("--dir", file(host, "").toString()));
        Agent command = rig.command(all);
        assertEquals(exit, command.exit(), command::toString);
        return command;
    }

    private Path file(String host, String name) {
        return folder.resolve("trust-" + host).resolve(name);
    }

    private Service serve(String host) throws IOException {
        Path socket = folder.resolve(host + ".sock");
        Agent agent = rig.start(new Start(List.of(), List.of(), List.of("agent", "--listen",
                "127.0.0.1:0", "--api", "unix:" + socket, "--state-dir",
                folder.resolve(host).toString(), "--trust-dir", file(host, "").toString()), ""));
        ObjectNode ready = agent.await("ready", event ->
                event.path("event").asText().equals("ready"));
        return new Service(new ApiClient(UnixDomainSocketAddress.of(socket)),
                ready.path("listen").asText());
    }

    private static String token(Agent command) {
        return command.events().getFirst().path("token").asText();
    }

    private static void slot(Service at, String name) throws IOException {
        at.api().call("PUT", "/v1/slots/" + name,
                JSON.createObjectNode().put("guest", "workload:8MiB"));
    }

    private static ObjectNode moved(Service from, Service to, String slot) throws IOException {
        ObjectNode body = JSON.createObjectNode().put("guest", "workload:8MiB?rate=0")
                .put("to", to.listens()).put("slot", slot);
        String id = from.api().call("POST", "/v1/migrations", body).path("id").asText();
        return (ObjectNode) from.api().call("GET", "/v1/migrations/" + id
                + "?wait=ended&timeout=100s");
    }

    @Test
    void aHostJoinsMovesRenewsAndIsRevoked() throws IOException {
        trust("a", 0, "init", "127.0.0.1");
        Service a = serve("a");
        assertTrue(trust("a", 3, "token", "b.example", "--life", "1m").words()
                .contains("give --address HOST:PORT"), "127.0.0.1 is no name for others");
        Agent made = trust("a", 0, "token", "b.example", "--address", a.listens());
        assertFalse(made.words().contains("nobody can join yet"), made::toString);
        trust("b", 0, "join", token(made));
        assertEquals("rw-------", PosixFilePermissions.toString(
                Files.getPosixFilePermissions(file("b", "host.key"))));
        assertFalse(Files.exists(file("b", "ca.key")));
        assertTrue(trust("b", 3, "join", token(made)).words().contains("has joined a CA"));
        assertTrue(trust("c", 3, "join", token(made)).words().contains("was used already"));
        assertFalse(Files.exists(file("c", "")), "a host that was refused has nothing");

        Service b = serve("b");
        slot(a, "one");
        ObjectNode first = moved(b, a, "one");
        assertEquals("completed", first.path("result").asText(), first::toString);
        assertTrue(first.at("/report/tls").asBoolean(), first::toString);
        String before = Files.readString(file("b", "host.crt"));
        trust("b", 0, "renew");
        assertFalse(before.equals(Files.readString(file("b", "host.crt"))));
        slot(a, "two");
        assertEquals("completed", moved(b, a, "two").path("result").asText());

        movedByAnotherHost(b, a);
        trust("a", 0, "revoke", "b.example");
        slot(a, "three");
        ObjectNode refused = moved(b, a, "three");
        assertEquals("refused", refused.path("result").asText(), refused::toString);
        assertTrue(refused.at("/report/error/reason").asText().contains(
                "the certificate of b.example, localhost was revoked"), refused::toString);
        assertTrue(trust("b", 3, "renew").words().contains("only a host with a certificate that"
                + " was not revoked"));
        List<String> listed = new ArrayList<>();
        trust("a", 0, "list").events().forEach(one -> listed.add(
                one.path("host").asText() + " " + one.path("state").asText()));
        assertEquals(List.of("127.0.0.1 valid", "b.example revoked", "b.example revoked"),
                listed);
    }

    /** The agent of b is asked by a, at its port. */
    private void movedByAnotherHost(Service b, Service a) throws IOException {
        List<String> files = List.of("--api", "https://" + b.listens(), "--tls-cert",
                file("a", "host.crt").toString(), "--tls-key", file("a", "host.key").toString(),
                "--tls-ca", file("a", "ca.crt").toString());
        slot(a, "far");
        List<String> move = with(List.of("migrate", "workload:8MiB?rate=0", "--to", a.listens(),
                "--slot", "far"));
        move.addAll(files);
        Agent far = rig.command(move);
        assertEquals(0, far.exit(), far::toString);
        assertEquals("completed", far.report().path("result").asText(), far::toString);
        List<String> history = with(List.of("history"));
        history.addAll(files);
        Agent past = rig.command(history);
        assertEquals(0, past.exit(), past::toString);
        assertEquals(3, past.events().size(), past::toString);
        Agent nameless = rig.command(List.of("history", "--api", "https://" + b.listens()));
        assertEquals(2, nameless.exit(), nameless::toString);
        assertTrue(nameless.words().contains("give --tls-cert"), nameless::toString);
    }

    @Test
    void whoIsNotTheCaThatMadeTheTokenGetsNothing() throws IOException {
        trust("a", 0, "init", "127.0.0.1");
        trust("other", 0, "init", "127.0.0.1");
        Service other = serve("other");
        Agent made = trust("a", 0, "token", "b.example", "--address", other.listens());
        assertTrue(made.words().contains("nobody can join yet"), made::toString);
        assertTrue(trust("b", 3, "join", token(made)).words().contains(
                "the agent is not of the CA that made the token"));
        assertFalse(Files.exists(file("b", "")));
        Agent nowhere = trust("a", 0, "token", "b.example", "--address", "127.0.0.1:1");
        assertTrue(trust("b", 3, "join", token(nowhere)).words().contains(
                "127.0.0.1:1 cannot be reached"));
    }
}
