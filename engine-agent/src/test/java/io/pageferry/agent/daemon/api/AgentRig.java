package io.pageferry.agent.daemon.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.cli.call.CallWords;
import io.pageferry.agent.daemon.Daemon;
import io.pageferry.agent.daemon.DaemonSettings;
import io.pageferry.agent.daemon.store.HistoryLimits;
import io.pageferry.agent.daemon.web.Dashboard;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** An agent in this process, and calls to its API without a socket. */
final class AgentRig implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();

    final Daemon daemon;
    private final Api api;
    private final Dashboard dashboard;

    /** What came back. */
    record Reply(int status, Map<String, String> headers, JsonNode body) {
        String text(String pointer) {
            return body.at(pointer).asText();
        }
    }

    AgentRig(Path state) throws IOException {
        this(state, 4, 0);
    }

    AgentRig(Path state, int maxParallel, long bandwidth) throws IOException {
        daemon = Daemon.open(settings(state, maxParallel, bandwidth),
                new CallWords(PeerTrust.of(Optional.empty()), false));
        dashboard = new Dashboard(Throwable::printStackTrace);
        api = new Api(daemon, () -> "own", dashboard);
        dashboard.over(api);
    }

    static DaemonSettings settings(Path state, int maxParallel, long bandwidth) {
        return new DaemonSettings(state, Listener.at(new InetSocketAddress(
                InetAddress.getLoopbackAddress(), 0), Optional.empty()), maxParallel, bandwidth,
                HistoryLimits.parse(HistoryLimits.DEFAULT), state.resolve("guests.json"),
                2_000_000_000L, PeerTrust.of(Optional.empty()));
    }

    Api api() {
        return api;
    }

    String address() {
        InetSocketAddress at = (InetSocketAddress) daemon.address();
        return "127.0.0.1:" + at.getPort();
    }

    Reply call(String method, String target) throws IOException {
        return call(method, target, "");
    }

    Reply call(String method, String target, String body) throws IOException {
        return call(method, target, body, Map.of());
    }

    Reply call(String method, String target, String body, Map<String, String> headers)
            throws IOException {
        return reply(answer(method, target, body, headers));
    }

    static Reply reply(HttpAnswer answer) throws IOException {
        HttpAnswer now = answer instanceof HttpAnswer.Later later
                ? later.start().get().toCompletableFuture().join() : answer;
        HttpAnswer.Whole whole = (HttpAnswer.Whole) now;
        return new Reply(whole.status(), whole.headers(), whole.type().contains("json")
                && whole.body().length > 0 ? JSON.readTree(whole.body())
                : JSON.createObjectNode().put("text",
                        new String(whole.body(), StandardCharsets.UTF_8)));
    }

    /** The same by another host's certificate. */
    Reply callOfPeer(String method, String target, String body) throws IOException {
        return reply(answer(method, target, body, Map.of(),
                new HttpCall.Caller(-1, -1, "CN=b.example")));
    }

    HttpAnswer answer(String method, String target, String body, Map<String, String> headers) {
        return answer(method, target, body, headers, new HttpCall.Caller(0, 0, ""));
    }

    private HttpAnswer answer(String method, String target, String body,
            Map<String, String> headers, HttpCall.Caller caller) {
        int question = target.indexOf('?');
        Map<String, String> query = new LinkedHashMap<>();
        if (question >= 0) {
            for (String pair : target.substring(question + 1).split("&")) {
                query.put(pair.split("=")[0], pair.split("=")[1]);
            }
        }
        return api.answer(new HttpCall(method, question < 0 ? target
                : target.substring(0, question), query, headers,
                body.getBytes(StandardCharsets.UTF_8), caller));
    }

    /** Asks for a move, and returns its id. */
    String submit(String guest, AgentRig to, String slot, String options) throws IOException {
        Reply accepted = call("POST", "/v1/migrations", "{\"guest\":\"" + guest + "\",\"to\":\""
                + to.address() + "\",\"slot\":\"" + slot + "\",\"options\":" + options + "}");
        assertEquals(202, accepted.status(), accepted::toString);
        assertEquals("/v1/migrations/" + accepted.text("/id"),
                accepted.headers().get("Location"));
        return accepted.text("/id");
    }

    /** Waits for the end of a migration. */
    JsonNode ended(String id) throws IOException {
        Reply reply = call("GET", "/v1/migrations/" + id + "?wait=ended&timeout=300s");
        assertEquals("ended", reply.text("/phase"), reply::toString);
        return reply.body();
    }

    @Override
    public void close() {
        dashboard.close();
        daemon.stop(false, () -> true);
        daemon.close();
    }
}
