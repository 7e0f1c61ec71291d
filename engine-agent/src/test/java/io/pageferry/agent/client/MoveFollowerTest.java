package io.pageferry.agent.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.report.Output;
import io.pageferry.transport.http.EventSink;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a command shows of a move that an agent makes, and how it ends then. */
class MoveFollowerTest {
    private static final String ID = "11111111-1111-1111-1111-111111111111";
    private static final String REPORT = "{\"event\":\"report\",\"result\":\"failed\",\"error\":{"
            + "\"code\":\"link-lost\",\"reason\":\"gone\",\"side\":\"target\",\"remedy\":\"again\""
            + "},\"migration\":\"" + ID + "\",\"side\":\"source\"}";
    private static final JsonNode MOVE = Output.object().put("id", ID).put("side", "source");

    @TempDir
    private Path folder;

    private final BlockingQueue<EventSink> sinks = new LinkedBlockingQueue<>();
    private final ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    private volatile boolean ended;
    private Path path;

    @BeforeEach
    void name() {
        path = folder.resolve("api");
    }

    private HttpAnswer answer(HttpCall call) {
        if (call.path().equals("/v1/events")) {
            return FakeAgent.events(sinks::add);
        }
        assertEquals("/v1/migrations/" + ID, call.path());
        return FakeAgent.json(200, "{\"phase\":\"" + (ended ? "ended" : "running")
                + "\",\"exitCode\":" + (ended ? "4" : "null") + ",\"report\":"
                + (ended ? REPORT : "null") + "}");
    }

    private MoveFollower follower(FakeAgent agent, boolean json) {
        agent.then = this::answer;
        return new MoveFollower(agent.client, new Output(new PrintStream(stdout, true),
                new PrintStream(stderr, true), json), true, MOVE);
    }

    private static String state(String state, String side) {
        return "{\"event\":\"state\",\"state\":\"" + state + "\",\"epoch\":1,\"migration\":\"" + ID
                + "\",\"side\":\"" + side + "\"}";
    }

    private static OptionalInt follow(MoveFollower follower) {
        try {
            return follower.follow();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void end(EventSink sink) {
        ended = true;
        sink.send("9", "report", REPORT);
    }

    @Test
    void peopleSeeLinesAndTheReport() throws Exception {
        try (FakeAgent agent = new FakeAgent(path)) {
            MoveFollower follower = follower(agent, false);
            CompletableFuture<OptionalInt> code =
                    CompletableFuture.supplyAsync(() -> follow(follower));
            EventSink sink = sinks.take();
            sink.send("1", "state", state("precopy", "target"));
            sink.send("2", "state", state("switchover", "source"));
            sink.send("3", "log", "{\"event\":\"log\",\"level\":\"warn\",\"message\":\"careful\","
                    + "\"migration\":\"" + ID + "\",\"side\":\"source\"}");
            end(sink);

            assertEquals(OptionalInt.of(4), code.join());
            assertEquals(List.of("state    switchover (epoch 1)", "warning  careful"),
                    stderr.toString().lines().toList());
            assertTrue(stdout.toString().contains("reason:        gone (link-lost, target)"),
                    stdout::toString);
            assertEquals("0", agent.calls.get(1).headers().get("last-event-id"));
            assertEquals(ID, agent.calls.get(1).query().get("migration"));
        }
    }

    /** It may say more than this version knows, and of more things. */
    @Test
    void aNewerAgentIsUnderstood() throws Exception {
        try (FakeAgent agent = new FakeAgent(path)) {
            MoveFollower follower = follower(agent, false);
            CompletableFuture<OptionalInt> code =
                    CompletableFuture.supplyAsync(() -> follow(follower));
            EventSink sink = sinks.take();
            sink.send("1", "telemetry", "{\"event\":\"telemetry\",\"watts\":7,\"migration\":\""
                    + ID + "\",\"side\":\"source\"}");
            sink.send("2", "state", state("postcopy", "source").replace("{", "{\"tenant\":{},"));
            ended = true;
            sink.send("3", "report", REPORT.replace("\"error\":{", "\"energy\":[1],"
                    + "\"error\":{\"trace\":\"x\","));

            assertEquals(OptionalInt.of(4), code.join());
            assertTrue(stderr.toString().contains("state    postcopy"), stderr::toString);
            assertTrue(stdout.toString().contains("reason:        gone (link-lost, target)"),
                    stdout::toString);
        }
    }

    @Test
    void programsSeeWhatCameAndTheReportLast() throws Exception {
        try (FakeAgent agent = new FakeAgent(path)) {
            MoveFollower follower = follower(agent, true);
            CompletableFuture<OptionalInt> code =
                    CompletableFuture.supplyAsync(() -> follow(follower));
            EventSink sink = sinks.take();
            sink.send("2", "state", state("switchover", "source"));
            end(sink);

            assertEquals(OptionalInt.of(4), code.join());
            assertEquals(List.of(state("switchover", "source"), REPORT),
                    stdout.toString(StandardCharsets.UTF_8).lines().toList());
            assertEquals(List.of("pageferry: gone; again"), stderr.toString().lines().toList());
        }
    }

    /** Its events may be gone from the agent's log: the report is in its history. */
    @Test
    void oneThatHasEndedLongAgoHasItsReport() throws Exception {
        ended = true;
        try (FakeAgent agent = new FakeAgent(path)) {
            assertEquals(OptionalInt.of(4), follower(agent, true).follow());
            assertEquals(List.of(REPORT), stdout.toString().lines().toList());
        }
    }

    @Test
    void anAgentThatIsStartedAnewIsWaitedFor() throws Exception {
        FakeAgent first = new FakeAgent(path);
        MoveFollower follower = follower(first, true);
        CompletableFuture<OptionalInt> code = CompletableFuture.supplyAsync(() -> follow(follower));
        sinks.take().send("7", "state", state("precopy", "source"));
        while (!stdout.toString().contains("precopy")) {
            Thread.onSpinWait();
        }
        first.close();
        Files.deleteIfExists(path);
        try (FakeAgent second = new FakeAgent(path)) {
            second.then = this::answer;
            EventSink sink = sinks.take();
            assertEquals("7", second.calls.get(1).headers().get("last-event-id"));
            end(sink);
            assertEquals(OptionalInt.of(4), code.join());
        }
        assertTrue(stderr.toString().contains("waiting for it"), stderr::toString);
        assertEquals(2, stdout.toString().lines().count());
    }

    /** As one that is gone for a moment: the move goes on. */
    @Test
    void anAgentThatHasTooMuchToDoIsAskedAgain() throws Exception {
        try (FakeAgent agent = new FakeAgent(path)) {
            MoveFollower follower = follower(agent, true);
            agent.then = call -> FakeAgent.json(503, "{\"code\":\"busy\",\"reason\":\"no\"}");
            CompletableFuture<OptionalInt> code =
                    CompletableFuture.supplyAsync(() -> follow(follower));
            while (!stderr.toString().contains("is not there (no); waiting")
                    && !code.isDone()) {
                Thread.onSpinWait();
            }
            assertFalse(code.isDone());
            agent.then = this::answer;
            end(sinks.take());
            assertEquals(OptionalInt.of(4), code.join());
        }
    }

    @Test
    void itCanBeLeft() throws Exception {
        try (FakeAgent agent = new FakeAgent(path)) {
            MoveFollower follower = follower(agent, true);
            CompletableFuture<OptionalInt> code =
                    CompletableFuture.supplyAsync(() -> follow(follower));
            sinks.take();
            follower.leave();
            assertEquals(OptionalInt.empty(), code.join());
        }
    }

    @Test
    void anAgentThatDoesNotKnowItSaysSo() throws Exception {
        try (FakeAgent agent = new FakeAgent(path)) {
            MoveFollower follower = follower(agent, true);
            agent.then = call -> FakeAgent.json(404, "{\"code\":\"not-found\",\"reason\":\"no\"}");
            assertThrows(ApiException.class, follower::follow);
        }
    }
}
