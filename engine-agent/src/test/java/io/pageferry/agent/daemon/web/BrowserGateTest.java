package io.pageferry.agent.daemon.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.transport.http.HttpAnswer.Whole;
import io.pageferry.transport.http.HttpCall;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A browser is let in by a token that was given out, once, and by nothing else. */
class BrowserGateTest {
    private static final Map<String, String> HOST = Map.of("host", "127.0.0.1:4480");

    private long now = Long.MAX_VALUE - 5;
    private final BrowserGate gate = new BrowserGate(
            call -> new Whole(200, "text/plain", Map.of(), new byte[0]), () -> now);

    @Test
    void aTokenLetsOneBrowserInOnce() {
        String path = gate.give();
        assertEquals(401, status("GET", "/", HOST));
        Whole opened = (Whole) gate.answer(call("GET", path, HOST));
        assertEquals(303, opened.status());
        assertEquals("/", opened.headers().get("Location"));
        String cookie = opened.headers().get("Set-Cookie");
        assertTrue(cookie.contains("; HttpOnly; SameSite=Strict"), cookie);
        String pair = cookie.substring(0, cookie.indexOf(';'));
        assertEquals(200, status("GET", "/", with("cookie", "other=1; " + pair)));
        assertEquals(401, status("GET", path, HOST), "a second time");
        assertEquals(401, status("GET", "/", with("cookie", pair + "0")));
        assertEquals(401, status("GET", "/", with("cookie", "pageferry=")));
        assertEquals(401, status("GET", "/open", HOST));
        assertEquals(401, status("GET", "/open?token=x", HOST));
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
        String used = session();
        String unused = session();
        for (int i = 2; i < 2 * BrowserGate.MOST; i++) {
            session();
            assertEquals(200, status("GET", "/", with("cookie", used)), "after " + i);
        }
        assertEquals(401, status("GET", "/", with("cookie", unused)));
    }

    private String session() {
        String cookie = ((Whole) gate.answer(call("GET", gate.give(), HOST))).headers()
                .get("Set-Cookie");
        return cookie.substring(0, cookie.indexOf(';'));
    }

    @Test
    void aPageOfAnotherNameGetsNothing() {
        String path = gate.give();
        assertEquals(403, status("GET", path, Map.of("host", "evil.example:4480")));
        assertEquals(403, status("GET", path, Map.of()));
        assertEquals(403, status("GET", path, with("origin", "http://evil.example")));
        assertEquals(303, status("GET", path, with("origin", "http://127.0.0.1:4480")));
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
