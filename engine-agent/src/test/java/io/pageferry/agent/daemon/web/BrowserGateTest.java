package io.pageferry.agent.daemon.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.transport.http.HttpAnswer.Whole;
import io.pageferry.transport.http.HttpCall;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A browser is let in by a token that was given out, once, and by nothing else. */
class BrowserGateTest {
    private static final Map<String, String> HOST = Map.of("host", "127.0.0.1:4480");

    private long now = Long.MAX_VALUE - 5;
    private final BrowserGate gate = new BrowserGate(
            call -> new Whole(200, "text/plain", Map.of("Path", call.path()), new byte[0]),
            () -> now);

    @Test
    void aTokenLetsOneBrowserInOnce() {
        String path = gate.give();
        assertEquals(401, status("GET", "/", HOST));
        Whole opened = (Whole) gate.answer(call("GET", path, HOST));
        assertEquals(303, opened.status());
        String cookie = opened.headers().get("Set-Cookie");
        String folder = opened.headers().get("Location");
        assertTrue(cookie.endsWith("; HttpOnly; SameSite=Strict; Path=" + folder), cookie);
        String pair = cookie.substring(0, cookie.indexOf(';'));
        assertEquals("200 /", answer(folder, with("cookie", "other=1; " + pair)));
        assertEquals("200 /v1/events", answer(folder + "v1/events", with("cookie", pair)));
        assertEquals(401, status("GET", path, HOST), "a second time");
        assertEquals(401, status("GET", folder, with("cookie", pair + "0")));
        assertEquals(401, status("GET", folder, with("cookie", "pageferry=")));
        assertEquals(401, status("GET", "/open", HOST));
        assertEquals(401, status("GET", "/open?token=x", HOST));
    }

    @Test
    void neitherTheFolderNorTheCookieIsEnough() {
        Whole one = (Whole) gate.answer(call("GET", gate.give(), HOST));
        Whole other = (Whole) gate.answer(call("GET", gate.give(), HOST));
        String folder = one.headers().get("Location");
        Map<String, String> cookie = with("cookie", pair(one));
        assertEquals(200, status("GET", folder, cookie));
        for (String path : List.of("/", "/v1/events", "/v1/migrations", "/s/",
                folder.substring(0, folder.length() - 1), "/s" + folder,
                other.headers().get("Location"))) {
            assertEquals(401, status("GET", path, cookie), path);
        }
        assertEquals(401, status("GET", folder, HOST));
        assertEquals(401, status("GET", folder, with("cookie", pair(other))));
    }

    private static String pair(Whole opened) {
        String cookie = opened.headers().get("Set-Cookie");
        return cookie.substring(0, cookie.indexOf(';'));
    }

    @Test
    void aTokenGrowsOld() {
        String path = gate.give();
        now += BrowserGate.TOKEN_NANOS + 1;
        assertEquals(401, status("GET", path, HOST));
    }

    @Test
    void ofMoreThanAreKeptTheOldestAreForgotten() {
        String first = gate.give();
        String second = gate.give();
        for (int i = 1; i < BrowserGate.MOST; i++) {
            gate.give();
        }
        assertEquals(401, status("GET", first, HOST));
        assertEquals(303, status("GET", second, HOST));
    }

    @Test
    void aSessionThatIsUsedOutlivesTheOthers() {
        Whole used = session();
        Whole unused = session();
        for (int i = 2; i < 2 * BrowserGate.MOST; i++) {
            session();
            assertEquals(200, status(used), "after " + i);
        }
        assertEquals(401, status(unused));
    }

    private Whole session() {
        return (Whole) gate.answer(call("GET", gate.give(), HOST));
    }

    private int status(Whole session) {
        return status("GET", session.headers().get("Location"), with("cookie", pair(session)));
    }

    @Test
    void aPageOfAnotherNameGetsNothing() {
        String path = gate.give();
        assertEquals(403, status("GET", path, Map.of("host", "evil.example:4480")));
        assertEquals(403, status("GET", path, Map.of()));
        assertEquals(403, status("GET", path, with("origin", "http://evil.example")));
        assertEquals(303, status("GET", path, with("origin", "http://127.0.0.1:4480")));
    }

    private String answer(String path, Map<String, String> headers) {
        Whole answer = (Whole) gate.answer(call("GET", path, headers));
        return answer.status() + " " + answer.headers().get("Path");
    }

    private int status(String method, String path, Map<String, String> headers) {
        return ((Whole) gate.answer(call(method, path, headers))).status();
    }

    private static Map<String, String> with(String name, String value) {
        Map<String, String> headers = new HashMap<>(HOST);
        headers.put(name, value);
        return headers;
    }

    private static HttpCall call(String method, String path, Map<String, String> headers) {
        String[] parts = path.split("\\?token=", 2);
        return new HttpCall(method, parts[0],
                parts.length < 2 ? Map.of() : Map.of("token", parts[1]), headers, new byte[0],
                new HttpCall.Caller(-1, -1, ""));
    }
}
