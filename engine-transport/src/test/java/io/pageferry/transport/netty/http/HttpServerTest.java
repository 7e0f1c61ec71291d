package io.pageferry.transport.netty.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.DefaultEventExecutor;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.http.EventSink;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpCall.Caller;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server on a real socket, and callers that do it harm. */
@Timeout(120)
class HttpServerTest {
    private static final long HANG_NANOS = 60_000_000_000L;

    @TempDir
    private Path folder;

    private final List<EventSink> sinks = new CopyOnWriteArrayList<>();
    private final List<CompletableFuture<HttpAnswer>> ends = new CopyOnWriteArrayList<>();
    private final List<Throwable> bugs = new CopyOnWriteArrayList<>();
    private final List<Caller> asked = new CopyOnWriteArrayList<>();
    private final List<RawCaller> callers = new ArrayList<>();
    private volatile boolean admitted = true;
    private ExecutorService pool;
    private HttpServer server;

    @BeforeEach
    void listen() throws Exception {
        pool = Executors.newFixedThreadPool(4);
        server = new HttpServer(UnixDomainSocketAddress.of(path()), new HttpService(this::answer,
                pool, caller -> {
                    asked.add(caller);
                    return admitted;
                }, bugs::add));
    }

    @AfterEach
    void close() throws IOException {
        for (RawCaller caller : callers) {
            caller.close();
        }
        server.close();
        pool.shutdownNow();
        assertEquals(List.of(), bugs);
    }

    private Path path() {
        return folder.resolve("api");
    }

    private RawCaller caller() throws IOException {
        RawCaller caller = new RawCaller(path());
        callers.add(caller);
        return caller;
    }

    private HttpAnswer answer(HttpCall call) {
        return switch (call.path()) {
            case "/events" -> new HttpAnswer.Events(sinks::add);
            case "/wait" -> new HttpAnswer.Later(() -> {
                CompletableFuture<HttpAnswer> end = new CompletableFuture<>();
                ends.add(end);
                return end;
            });
            case "/large" -> Requests.text("a".repeat(4 << 20));
            default -> Requests.text("answer to " + call.path() + ", user "
                    + call.caller().user() + ", group " + call.caller().group() + ";");
        };
    }

    private static void await(String what, BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - begin < HANG_NANOS, what);
            Thread.onSpinWait();
        }
    }

    @Test
    void itKnowsWhoAsks() throws Exception {
        Object user = Files.getAttribute(folder, "unix:uid");
        Object group = Files.getAttribute(folder, "unix:gid");
        String answer = caller().get("/who").until(";");
        assertTrue(answer.endsWith("answer to /who, user " + user + ", group " + group + ";"),
                answer);

        admitted = false;
        String refused = caller().get("/who").all();
        assertTrue(refused.startsWith("HTTP/1.1 403 "), refused);
        assertTrue(asked.contains(new Caller((int) user, (int) group, "")), asked.toString());
    }

    @Test
    void eventReadersThatHangLeaveAPlaceForQuestions() throws Exception {
        for (int i = 0; i < HttpLimits.EVENT_READERS; i++) {
            caller().get("/events");
        }
        await("readers", () -> sinks.size() == HttpLimits.EVENT_READERS);

        String refused = caller().get("/events").until("}");
        assertTrue(refused.startsWith("HTTP/1.1 503 "), refused);
        assertTrue(refused.contains("\r\nRetry-After: "), refused);
        assertTrue(caller().get("/a").until(";").startsWith("HTTP/1.1 200 "));

        callers.getFirst().close();
        await("that one is gone", () -> {
            try (RawCaller next = new RawCaller(path())) {
                return next.get("/events").until("\r\n\r\n").startsWith("HTTP/1.1 200 ");
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void callersThatWaitLeaveAPlaceForQuestions() throws Exception {
        caller().get("/wait");
        await("the first one waits", () -> ends.size() == 1); // so that its end is the first too
        for (int i = 1; i < HttpLimits.WAITING; i++) {
            caller().get("/wait");
        }
        await("all wait", () -> ends.size() == HttpLimits.WAITING);

        String refused = caller().get("/wait").until("}");
        assertTrue(refused.startsWith("HTTP/1.1 503 "), refused);
        assertTrue(refused.contains("\r\nRetry-After: "), refused);
        assertTrue(refused.contains("\"remedy\":\"ask again in a moment\""), refused);
        assertEquals(HttpLimits.WAITING, ends.size(), "what is refused is not begun");
        assertTrue(caller().get("/a").until(";").startsWith("HTTP/1.1 200 "));
        caller().get("/events");
        await("a reader beside them", () -> sinks.size() == 1);

        ends.getFirst().complete(Requests.text("ended;"));
        callers.getFirst().until("ended;");
        caller().get("/wait");
        await("the place of one that was answered", () -> ends.size() == HttpLimits.WAITING + 1);
    }

    /** Nobody is left to be answered, and that is no bug; see the end of each test. */
    @Test
    void anEndThatComesBehindTheServersIsNoBug() throws Exception {
        caller().get("/wait");
        await("it waits", () -> ends.size() == 1);
        server.close();
        ends.getFirst().complete(Requests.text("too late"));
    }

    /** The handlers' thread ends before the channel does: the channel's last words are refused. */
    @Test
    void theEndOfAThreadIsNoBug() throws Exception {
        HttpService service = new HttpService(this::answer, Runnable::run, any -> true, bugs::add);
        for (boolean ends : List.of(false, true)) {
            EventExecutor thread = new DefaultEventExecutor(new DefaultThreadFactory("ends", true));
            EmbeddedChannel channel = new EmbeddedChannel();
            new HttpPipeline(service, 1, thread).install(channel,
                    Optional.of(new Caller(0, 0, "")));
            if (ends) {
                // Until nothing was asked of it for so long, it does what it is told.
                thread.shutdownGracefully(60, 60, TimeUnit.SECONDS);
            }
            channel.pipeline().fireExceptionCaught(new RejectedExecutionException("its end"));
            thread.submit(() -> { }).sync();
            assertEquals(ends ? 0 : 1, bugs.size(), bugs::toString);
            bugs.clear();
        }
    }

    @Test
    void aCallerThatIsGoneDoesNotWait() throws Exception {
        caller().get("/wait");
        await("the first one waits", () -> ends.size() == 1); // so that its end is the first too
        for (int i = 1; i < HttpLimits.WAITING; i++) {
            caller().get("/wait");
        }
        await("all wait", () -> ends.size() == HttpLimits.WAITING);
        callers.get(3).close();
        await("its place", () -> {
            try (RawCaller next = new RawCaller(path())) {
                next.get("/wait").socket.configureBlocking(false);
                ByteBuffer refused = ByteBuffer.allocate(1000);
                while (ends.size() == HttpLimits.WAITING && refused.position() == 0) {
                    next.socket.read(refused);
                }
                return ends.size() > HttpLimits.WAITING;
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void theOldestSilentConnectionMakesWay() throws Exception {
        for (int i = 0; i < HttpLimits.CONNECTIONS; i++) {
            caller().send("GET /");
        }
        assertTrue(caller().get("/a").until(";").startsWith("HTTP/1.1 200 "));
        assertEquals("", callers.getFirst().all());
        callers.get(1).send(" HTTP/1.1\r\nHost: x\r\n\r\n");
        assertTrue(callers.get(1).until(";").startsWith("HTTP/1.1 200 "));
    }

    @Test
    void aReaderThatIsTooSlowIsCutAndTheOthersAreNot() throws Exception {
        RawCaller slow = caller().get("/events");
        await("the slow one", () -> sinks.size() == 1);
        RawCaller quick = caller().get("/events");
        await("the quick one", () -> sinks.size() == 2);
        quick.until("\r\n\r\n");
        boolean[] gone = new boolean[1];
        sinks.getFirst().onClose(() -> gone[0] = true);

        String data = "\"" + "x".repeat(8000) + "\"";
        int sent = 0;
        while (sinks.getFirst().send(String.valueOf(sent), "log", data)) {
            assertTrue(sinks.get(1).send(String.valueOf(sent), "log", data));
            quick.until("id: " + sent + "\n");
            sent++;
            // Beside its queue there is what the kernel holds for it.
            assertTrue(sent * 8000 < HttpLimits.EVENT_BYTES + (2 << 20), "it is never cut");
        }
        assertTrue(sent * 8000 >= HttpLimits.EVENT_BYTES - 8100, "cut after " + sent);
        await("it is told", () -> gone[0]);
        assertFalse(sinks.getFirst().send("x", "log", "1"));
        assertTrue(sinks.get(1).send("last", "log", "1"));
        quick.until("id: last\n");
        slow.all();
    }

    @Test
    void aCallerThatHasSaidAllIsAnswered() throws Exception {
        RawCaller half = caller().get("/half").get("/again");
        half.socket.shutdownOutput();
        String answer = half.all();
        assertTrue(answer.contains("answer to /half,"), answer);
        assertTrue(answer.contains("answer to /again,"), answer);
    }

    @Test
    void aLargeAnswerComesWhole() throws Exception {
        String answer = caller().get("/large").until("a".repeat(4 << 20));
        assertTrue(answer.startsWith("HTTP/1.1 200 "));
    }

    @Test
    void whoSendsTooMuchHearsWhy() throws Exception {
        RawCaller large = caller();
        try {
            large.send("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n80000\r\n"
                    + "a".repeat(0x80000));
        } catch (IOException e) {
            // It was cut off in the middle, with the answer behind it.
            assertEquals("Broken pipe", e.getMessage());
        }
        assertTrue(large.all().startsWith("HTTP/1.1 413 "));
    }

    @Test
    void aPlaceThatIsNotThereIsSaid() {
        Path path = folder.resolve("no/api");
        HttpService service = new HttpService(this::answer, pool, any -> true, bugs::add);
        TransportException e = assertThrows(TransportException.class,
                () -> new HttpServer(UnixDomainSocketAddress.of(path), service));
        assertTrue(e.getMessage().startsWith("cannot listen on unix:" + path), e.getMessage());
    }
}
