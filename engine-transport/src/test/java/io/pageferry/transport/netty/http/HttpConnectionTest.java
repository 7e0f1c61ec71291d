package io.pageferry.transport.netty.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.transport.http.EventSink;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpCall.Caller;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a connection says to requests, good and bad, and for how long it waits. */
class HttpConnectionTest {
    private static final String HOST = Requests.HOST;

    private final Requests requests = new Requests();

    @Test
    void aCallHasAllOfTheRequest() {
        String answer = requests.send("PATCH /v1/a%20b?x=1&y=%26&x=2" + HOST
                + "X-Some: one\r\nX-Some: two\r\nContent-Length: 3\r\n\r\nabc").answers();

        HttpCall call = requests.calls.getFirst();
        assertEquals("PATCH", call.method());
        assertEquals("/v1/a b", call.path());
        assertEquals(Map.of("x", "2", "y", "&"), call.query());
        assertEquals("two", call.headers().get("x-some"));
        assertArrayEquals(new byte[] {'a', 'b', 'c'}, call.body());
        assertEquals(new Caller(7, 8, ""), call.caller());
        assertTrue(answer.startsWith("HTTP/1.1 200 OK\r\n"), answer);
        assertTrue(answer.contains("\r\ncontent-type: text/plain\r\n"), answer);
        assertTrue(answer.contains("\r\ncontent-length: 21\r\n"), answer);
        assertTrue(answer.endsWith("\r\n\r\nyou asked for /v1/a b"), answer);
        assertTrue(requests.isOpen());
    }

    @Test
    void aHandlerMayEndTheConnectionWithItsAnswer() {
        requests.then = call -> new HttpAnswer.Whole(200, "text/plain",
                Map.of("Connection", "close"), new byte[0]);
        String answer = requests.send("GET /a" + HOST + "\r\nGET /b" + HOST + "\r\n").answers();

        assertTrue(answer.contains("\r\nconnection: close\r\n")
                || answer.contains("\r\nConnection: close\r\n"), answer);
        assertEquals(1, requests.calls.size());
        assertFalse(requests.isOpen());
    }

    @Test
    void chunksAreOneBody() {
        requests.send("POST /" + HOST + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
                .send("3;x=y\r\ncde\r\n0\r\nX-Behind: 1\r\n\r\n");

        assertEquals("abcde", new String(requests.calls.getFirst().body()));
        assertTrue(requests.answers().startsWith("HTTP/1.1 200"));
    }

    @Test
    void headSaysHowLongTheAnswerWouldBe() {
        String answer = requests.send("HEAD /a" + HOST + "\r\n").answers();

        assertEquals("GET", requests.calls.getFirst().method());
        assertTrue(answer.contains("\r\ncontent-length: 16\r\n"), answer);
        assertTrue(answer.endsWith("\r\n\r\n"), answer);
        assertTrue(requests.send("GET /b" + HOST + "\r\n").answers().endsWith("for /b"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            GET / HTTP/1.1~~                                                    | 400
            GET / HTTP/1.1~Host: a~Host: b~~                                    | 400
            GET noslash HTTP/1.1~Host: x~~                                      | 400
            GET /%zz HTTP/1.1~Host: x~~                                         | 400
            nonsense~~                                                          | 400
            GET / HTTP/1.1~Host: x~no colon~~                                   | 400
            GET / HTTP/1.1~Host: x~A : b~~                                      | 400
            POST / HTTP/1.1~Host: x~Content-Length: 1~Content-Length: 2~~a      | 400
            POST / HTTP/1.1~Host: x~Content-Length: -1~~                        | 400
            POST / HTTP/1.1~Host: x~Content-Length: 1x~~a                       | 400
            POST / HTTP/1.1~Host: x~Transfer-Encoding: chunked~Content-Length: 1~~0~~ | 400
            POST / HTTP/1.0~Host: x~Transfer-Encoding: chunked~~0~~             | 400
            POST / HTTP/1.1~Host: x~Transfer-Encoding: chunked~~zz~~            | 400
            POST / HTTP/1.1~Host: x~Expect: rain~Content-Length: 1~~            | 417
            POST / HTTP/1.1~Host: x~Content-Length: 262145~~                    | 413
            BREW /pot HTTP/1.1~Host: x~~                                        | 501
            get / HTTP/1.1~Host: x~~                                            | 501
            PRI * HTTP/2.0~~                                                    | 505
            """)
    void aBadRequestIsAnsweredAndTheConnectionEnds(String request, int status) {
        String answer = requests.send(request.replace("~", "\r\n")).answers();

        assertTrue(answer.startsWith("HTTP/1.1 " + status + " "), answer);
        assertTrue(answer.contains("\r\ncontent-type: application/problem+json\r\n"), answer);
        assertTrue(answer.contains("\r\nconnection: close\r\n"), answer);
        for (String field : List.of("type", "title", "status", "code", "reason", "side",
                "remedy")) {
            assertTrue(answer.contains('"' + field + "\":"), answer);
        }
        assertEquals(List.of(), requests.calls);
        assertFalse(requests.isOpen());
        assertEquals(List.of(), requests.bugs);
    }

    @Test
    void limitsAreExact() {
        String path = "/" + "a".repeat(HttpLimits.LINE_BYTES - "GET / HTTP/1.1".length());
        assertStatus(200, "GET " + path + HOST + "\r\n");
        assertStatus(414, "GET " + path + "a" + HOST + "\r\n");

        String header = "A: " + "b".repeat(HttpLimits.HEADER_BYTES - "Host: xA: ".length());
        assertStatus(200, "GET /" + HOST + header + "\r\n\r\n");
        assertStatus(431, "GET /" + HOST + header + "b\r\n\r\n");

        String body = "a".repeat(HttpLimits.BODY_BYTES);
        assertStatus(200, "PUT /" + HOST + "Content-Length: " + body.length() + "\r\n\r\n" + body);
        String chunked = "PUT /" + HOST + "Transfer-Encoding: chunked\r\n\r\n"
                + Integer.toHexString(body.length()) + "\r\n" + body + "\r\n";
        assertStatus(200, chunked + "0\r\n\r\n");
        assertStatus(413, chunked + "1\r\na\r\n0\r\n\r\n");
    }

    private static void assertStatus(int status, String request) {
        String answer = new Requests().send(request).answers();
        assertTrue(answer.startsWith("HTTP/1.1 " + status + " "), answer);
    }

    @Test
    void aRequestThatComesSlowlyIsCut() {
        for (int i = 1; i < 10; i++) {
            requests.send(i == 1 ? "GET /" + HOST : "X-" + i + ": y\r\n").pass(1000);
        }
        assertEquals("", requests.pass(999).answers());
        assertTrue(requests.isOpen());
        assertTrue(requests.pass(1).answers().startsWith("HTTP/1.1 408 "));
        assertFalse(requests.isOpen());
    }

    @Test
    void aBodyThatComesSlowlyIsCutToo() {
        requests.send("PUT /" + HOST + "Content-Length: 9\r\n\r\na").pass(9999).send("b");
        assertTrue(requests.pass(1).answers().startsWith("HTTP/1.1 408 "));
    }

    @Test
    void silenceBehindAnAnswerHasItsTime() {
        requests.send("GET /" + HOST + "\r\n").answers();
        requests.pass(29_999);
        assertTrue(requests.isOpen());
        requests.send("\r\n").pass(9_999);
        assertTrue(requests.isOpen());
        assertTrue(requests.pass(1).answers().startsWith("HTTP/1.1 408 "));

        Requests silent = new Requests();
        silent.send("GET /" + HOST + "\r\n").answers();
        silent.pass(30_000);
        assertEquals("", silent.answers());
        assertFalse(silent.isOpen());
    }

    /** The time that a handler takes is not the caller's. */
    @Test
    void anAnswerMayTakeLong() {
        CompletableFuture<HttpAnswer> later = new CompletableFuture<>();
        requests.then = call -> new HttpAnswer.Later(() -> later);
        requests.send("GET /" + HOST + "\r\n").pass(3_600_000);
        assertEquals("", requests.answers());

        later.complete(Requests.text("at last"));
        assertTrue(requests.answers().endsWith("at last"));
        assertTrue(requests.isOpen());
    }

    @Test
    void whoDoesNotReadItsAnswerIsCut() {
        requests.stall();
        requests.send("GET /" + HOST + "\r\n").pass(29_999);
        assertTrue(requests.isOpen());
        requests.pass(1);
        assertFalse(requests.isOpen());
    }

    @Test
    void aReaderThatTakesNoHeartbeatIsCut() {
        EventSink[] sink = new EventSink[1];
        AtomicInteger closed = new AtomicInteger();
        requests.then = call -> new HttpAnswer.Events(opened -> {
            sink[0] = opened;
            opened.onClose(closed::incrementAndGet);
        });
        requests.send("GET /" + HOST + "\r\n").answers();
        requests.stall();
        requests.pass(15_000).pass(14_999);
        assertTrue(requests.isOpen());
        requests.pass(1);
        assertFalse(requests.isOpen());
        assertEquals(1, closed.get());
        assertFalse(sink[0].send("1", "a", "{}"));
    }

    /** Each has less than it may; who has most is cut, and not who gets the last. */
    @Test
    void eventsAreCountedTogether() {
        List<EventSink> sinks = new ArrayList<>();
        requests.then = call -> new HttpAnswer.Events(sinks::add);
        String data = "x".repeat(8000);
        int most = HttpLimits.EVENT_BYTES / 8100;
        List<Requests> readers = new ArrayList<>();
        int sent = 0;
        while (readers.stream().allMatch(Requests::isOpen)) {
            if (sent % most == 0) {
                readers.add(requests.beside().send("GET /" + HOST + "\r\n"));
                readers.getLast().answers();
                readers.getLast().stall();
            }
            assertTrue(sinks.getLast().send("1", "log", data));
            sent++;
            assertTrue(sent * 8000L < 2L * HttpLimits.ALL_EVENT_BYTES, "none is cut");
        }
        assertTrue(sent * 8100L > HttpLimits.ALL_EVENT_BYTES, "cut after " + sent);
        assertTrue(readers.getLast().isOpen());
        assertEquals(1, readers.stream().filter(reader -> !reader.isOpen()).count());
    }

    /** Many that send a little less than all of their body have room for so many bytes. */
    @Test
    void bodiesAreCountedTogether() {
        String begin = "PUT /" + HOST + "Content-Length: " + HttpLimits.BODY_BYTES + "\r\n\r\n"
                + "a".repeat(HttpLimits.BODY_BYTES - 1);
        List<Requests> senders = new ArrayList<>();
        for (int i = 0; i < HttpLimits.ALL_BODY_BYTES / HttpLimits.BODY_BYTES; i++) {
            senders.add(requests.beside().send(begin));
        }
        assertEquals("", senders.getLast().answers());
        String refused = requests.beside().send(begin).answers();
        assertTrue(refused.startsWith("HTTP/1.1 503 "), refused);

        assertTrue(senders.getFirst().send("a").answers().startsWith("HTTP/1.1 200 "));
        assertEquals("", requests.beside().send(begin).answers());
        senders.get(1).channel.close();
        assertEquals("", requests.beside().send(begin).answers());
    }

    @Test
    void oneRequestAfterTheOther() {
        CompletableFuture<HttpAnswer> first = new CompletableFuture<>();
        requests.then = call -> call.path().equals("/1") ? new HttpAnswer.Later(() -> first)
                : Requests.text(call.path());
        requests.send("GET /1" + HOST + "\r\nPUT /2" + HOST
                + "Content-Length: 1\r\n\r\naGET /3" + HOST + "\r\n");
        assertEquals("", requests.answers());
        assertEquals(1, requests.calls.size());

        first.complete(Requests.text("/1"));
        String answers = requests.answers();
        assertEquals(List.of("/1", "/2", "/3"),
                requests.calls.stream().map(HttpCall::path).toList());
        assertTrue(answers.indexOf("/1HTTP") < answers.indexOf("/2HTTP"), answers);
        assertTrue(answers.endsWith("/3"), answers);
    }

    @Test
    void whoAsksBeforeItSendsIsToldToGoOn() {
        requests.send("PUT /" + HOST + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n");
        assertEquals("HTTP/1.1 100 Continue\r\n\r\n", requests.answers());
        String answer = requests.send("a").answers();
        assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);

        requests.send("PUT /" + HOST + "Expect: 100-continue\r\nContent-Length: 262145\r\n\r\n");
        answer = requests.answers();
        assertTrue(answer.startsWith("HTTP/1.1 413 "), answer);
    }

    @Test
    void theOlderVersionEndsWithItsAnswer() {
        String answer = requests.send("GET / HTTP/1.0\r\n\r\n").answers();
        assertTrue(answer.contains("\r\nconnection: close\r\n"), answer);
        assertFalse(requests.isOpen());
    }

    @Test
    void whoMayNotAskIsToldSo() {
        Requests refused = new Requests(Runnable::run, Optional.empty());
        assertTrue(refused.send("GET /" + HOST + "\r\n").answers().startsWith("HTTP/1.1 403 "));
        assertFalse(refused.isOpen());
        assertEquals(List.of(), refused.calls);
    }

    @Test
    void whereTooManyWaitACallerComesAgain() {
        Requests full = new Requests(task -> {
            throw new RejectedExecutionException();
        }, Optional.of(new Caller(0, 0, "")));
        String answer = full.send("GET /" + HOST + "\r\n").answers();
        assertTrue(answer.startsWith("HTTP/1.1 503 "), answer);
        assertTrue(answer.contains("\r\nRetry-After: 1\r\n"), answer);
    }

    @Test
    void aBugIsNotTold() {
        requests.then = call -> {
            throw new IllegalStateException("secret");
        };
        String answer = requests.send("GET /" + HOST + "\r\n").answers();
        assertTrue(answer.startsWith("HTTP/1.1 500 "), answer);
        assertFalse(answer.contains("secret"), answer);
        assertEquals("secret", requests.bugs.getFirst().getMessage());

        Requests later = new Requests();
        later.then = call -> new HttpAnswer.Later(() ->
                CompletableFuture.failedFuture(new IllegalStateException("secret")));
        assertTrue(later.send("GET /" + HOST + "\r\n").answers().startsWith("HTTP/1.1 500 "));
        later = new Requests();
        later.then = call -> new HttpAnswer.Later(() -> {
            throw new IllegalStateException("secret");
        });
        assertTrue(later.send("GET /" + HOST + "\r\n").answers().startsWith("HTTP/1.1 500 "));

        Requests split = new Requests();
        split.then = call -> new HttpAnswer.Whole(200, "a\r\nb: c", Map.of(), new byte[0]);
        assertTrue(split.send("GET /" + HOST + "\r\n").answers().startsWith("HTTP/1.1 500 "));
    }

    @Test
    void eventsComeInChunksWithAHeartbeat() {
        EventSink[] sink = new EventSink[1];
        requests.then = call -> new HttpAnswer.Events(opened -> sink[0] = opened);
        String head = requests.send("GET /v1/events" + HOST + "\r\n").answers();
        assertTrue(head.contains("\r\ncontent-type: text/event-stream\r\n"), head);
        assertTrue(head.contains("\r\ntransfer-encoding: chunked\r\n"), head);

        assertTrue(sink[0].send("1", "state", "{\"a\":\"ä\"}"));
        assertEquals("25\r\nid: 1\nevent: state\ndata: {\"a\":\"ä\"}\n\n\r\n",
                requests.answers());
        assertEquals("", requests.pass(14_999).answers());
        assertEquals("3\r\n:\n\n\r\n", requests.pass(1).answers());
        assertThrows(IllegalArgumentException.class, () -> sink[0].send("1", "a", "b\nc"));

        AtomicInteger closed = new AtomicInteger();
        sink[0].onClose(closed::incrementAndGet);
        sink[0].close();
        assertFalse(sink[0].send("2", "state", "{}"));
        assertEquals("0\r\n\r\n", requests.answers());
        assertFalse(requests.isOpen());
        sink[0].onClose(closed::incrementAndGet);
        assertEquals(2, closed.get());
        assertEquals(List.of(), requests.bugs);
    }

    @Test
    void anOlderReaderGetsEventsToTheEnd() {
        requests.then = call -> new HttpAnswer.Events(sink -> {
            sink.send("1", "a", "{}");
            sink.close();
        });
        assertTrue(requests.send("GET / HTTP/1.0\r\n\r\n").answers()
                .endsWith("\r\n\r\nid: 1\nevent: a\ndata: {}\n\n"));
    }

    @Test
    void headOfEventsBeginsNone() {
        AtomicInteger begun = new AtomicInteger();
        requests.then = call -> new HttpAnswer.Events(sink -> begun.incrementAndGet());
        assertTrue(requests.send("HEAD /" + HOST + "\r\n").answers().startsWith("HTTP/1.1 200 "));
        assertEquals(0, begun.get());
        assertFalse(requests.isOpen());
    }
}
