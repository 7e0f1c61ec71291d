package io.pageferry.agent.daemon.web;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.transport.http.HttpAnswer.Whole;
import io.pageferry.transport.http.HttpCall;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a peer's browser may do for which page. */
class PeerGateTest {
    private final PeerGate gate = new PeerGate(
            call -> new Whole(202, "text/plain", Map.of(), new byte[0]));

    private int status(String path, String... headers) {
        Map<String, String> all = new HashMap<>(Map.of("host", "b.example:4477"));
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], headers[i + 1]);
        }
        return ((Whole) gate.answer(new HttpCall(path.startsWith("/v1") ? "POST" : "GET", path,
                Map.of(), all, new byte[0], new HttpCall.Caller(-1, -1, "CN=a")))).status();
    }

    @Test
    void programsAndTheDashboardItselfAreLetThrough() {
        assertEquals(202, status("/v1/migrations"));
        assertEquals(202, status("/v1/migrations", "origin", "https://b.example:4477",
                "sec-fetch-site", "same-origin"));
        assertEquals(200, status("/", "sec-fetch-site", "none"));
    }

    @Test
    void aPageOfAnotherHostIsNot() {
        assertEquals(403, status("/v1/migrations", "origin", "https://evil.example"));
        assertEquals(403, status("/v1/migrations", "origin", "http://b.example:4477"));
        assertEquals(403, status("/v1/migrations", "origin", "null"));
        assertEquals(403, status("/v1/migrations", "sec-fetch-site", "cross-site"));
        assertEquals(403, status("/", "sec-fetch-site", "same-site"));
    }

    @Test
    void theAddressOfThisHostsDashboardIsForThisHost() {
        assertEquals(403, status("/v1/dashboard"));
    }
}
