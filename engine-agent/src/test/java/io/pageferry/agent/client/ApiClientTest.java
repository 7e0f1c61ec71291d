package io.pageferry.agent.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.report.Output;
import io.pageferry.transport.http.EventSink;
import io.pageferry.transport.http.HttpAnswer;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a command understands of an agent's answers, and of those of something else. */
class ApiClientTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    private Path path;

    @BeforeEach
    void name() {
        path = folder.resolve("api");
    }

    @Test
    void aCallSaysWhatItHasToSay() throws Exception {
        try (FakeAgent agent = new FakeAgent(path)) {
            agent.then = call -> FakeAgent.json(202, "{\"id\":\"ä\"}");
            assertEquals("ä", agent.client.call("POST", "/v1/x?y=1",
                    Output.object().put("guest", "ö")).path("id").asText());
            assertEquals("{\"guest\":\"ö\"}", new String(agent.calls.getFirst().body(),
                    StandardCharsets.UTF_8));
            assertEquals("POST /v1/x {y=1}", agent.calls.getFirst().method() + " "
                    + agent.calls.getFirst().path() + " " + agent.calls.getFirst().query());

            agent.then = call -> new HttpAnswer.Whole(204, "", Map.of(), new byte[0]);
            assertTrue(agent.client.call("DELETE", "/v1/x").isMissingNode());
        }
    }

    @ParameterizedTest
    @CsvSource({"400,usage,2", "403,forbidden,3", "404,not-found,3", "409,conflict,3",
            "500,host-failed,3", "500,internal,70", "503,busy,3", "503,stopping,3"})
    void aProblemBecomesAnExitCode(int status, String code, int exitCode) throws Exception {
        try (FakeAgent agent = new FakeAgent(path)) {
            agent.then = call -> new HttpAnswer.Whole(status, "application/problem+json", Map.of(),
                    ("{\"code\":\"" + code + "\",\"reason\":\"because\",\"remedy\":\"do\"}")
                            .getBytes(StandardCharsets.UTF_8));
            ApiException e = assertThrows(ApiException.class,
                    () -> agent.client.call("GET", "/v1/x"));
            assertEquals("because", e.getMessage());
            assertEquals("do", e.remedy());
            assertEquals(exitCode, e.exitCode());
            assertThrows(ApiException.class, () -> agent.client.events("/v1/events", ""));
        }
    }

    @Test
    void eventsComeOneByOne() throws Exception {
        BlockingQueue<EventSink> sinks = new LinkedBlockingQueue<>();
        try (FakeAgent agent = new FakeAgent(path)) {
            agent.then = call -> FakeAgent.events(sinks::add);
            try (ApiEvents events = agent.client.events("/v1/events", "41")) {
                EventSink sink = sinks.take();
                assertEquals("41", agent.calls.getFirst().headers().get("last-event-id"));
                sink.send("42", "log", "{\"message\":\"" + "x".repeat(100_000) + "\"}");
                ApiEvent event = events.next(LONG).orElseThrow();
                assertEquals("42 log", event.id() + " " + event.kind());
                assertEquals(100_000, event.data().path("message").asText().length());

                assertEquals(Optional.empty(), events.next(Duration.ofMillis(10)));
                sink.send("43", "state", "{}");
                assertEquals("43", events.next(LONG).orElseThrow().id());

                sink.close();
                assertThrows(IOException.class, () -> events.next(LONG));
            }
        }
    }

    /** It may have begun what was asked for, so it hears the same key. */
    @Test
    void whatIsBegunOnceIsAskedForTwiceByOneKey() throws Exception {
        try (FakeAgent agent = new FakeAgent(path);
                LostAnswers relay = new LostAnswers(folder.resolve("relay"), path, 3)) {
            ApiClient client = new ApiClient(UnixDomainSocketAddress.of(
                    folder.resolve("relay")));
            assertThrows(UnansweredException.class,
                    () -> client.begin("/v1/x", Output.object()));
            assertEquals(1, relay.left());
            agent.then = call -> FakeAgent.json(202, "{\"id\":7}");
            assertEquals(7, client.begin("/v1/x", Output.object()).path("id").asInt());
            client.begin("/v1/x", Output.object());
            List<String> keys = agent.calls.stream().map(call ->
                    call.headers().get("idempotency-key")).toList();
            assertEquals(5, keys.size(), keys::toString);
            assertEquals(keys.get(0), keys.get(1));
            assertEquals(keys.get(2), keys.get(3));
            assertEquals(3, Set.copyOf(keys).size(), keys::toString);
        }
    }

    @Test
    void aRefusalIsAnAnswer() throws Exception {
        try (FakeAgent agent = new FakeAgent(path)) {
            agent.then = call -> FakeAgent.json(503, "{\"reason\":\"busy\"}");
            assertThrows(ApiException.class, () -> agent.client.begin("/v1/x", Output.object()));
            assertEquals(1, agent.calls.size());
        }
    }

    /** By whoever hears the second Ctrl-C. */
    @Test
    void anotherThreadEndsAWait() throws Exception {
        try (FakeAgent agent = new FakeAgent(path)) {
            agent.then = call -> FakeAgent.events(sink -> { });
            ApiEvents events = agent.client.events("/v1/events", "");
            CompletableFuture<Void> closed = CompletableFuture.runAsync(events::close);
            assertThrows(IOException.class, () -> events.next(LONG));
            closed.join();
        }
    }

    @Test
    void whereNobodyListensIsSaid() {
        assertThrows(IOException.class,
                () -> new ApiClient(UnixDomainSocketAddress.of(path)).probe());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "OK~", "SSH-2.0-OpenSSH~~", "OLD 200 OK~Content-Length: 0~~",
        "OK~no colon~~", "OK~~without a length", "OK~Content-Length: -1~~",
        "OK~Content-Length: 5~~{}", "OK~Content-Length: 99999999999~~",
        "OK~Transfer-Encoding: chunked~~zz~{}~0~~",
        "OK~Transfer-Encoding: chunked~~2~{}xx0~~",
        "OK~Content-Type: application/json~Content-Length: 1~~{"})
    void whatIsNoAgentIsRefused(String form) throws Exception {
        String answer = form.replace("~", "\r\n").replace("OK\r", "HTTP/1.1 200 OK\r")
                .replace("OLD 200 HTTP/1.1 200 OK", "HTTP/1.0 200 OK");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            CompletableFuture<Void> answered = CompletableFuture.runAsync(() -> {
                try (SocketChannel socket = server.accept()) {
                    socket.read(ByteBuffer.allocate(1000));
                    socket.write(ByteBuffer.wrap(answer.getBytes(StandardCharsets.UTF_8)));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            assertThrows(IOException.class, () -> new ApiClient(
                    UnixDomainSocketAddress.of(path)).call("GET", "/v1/x"));
            answered.join();
        }
    }
}
