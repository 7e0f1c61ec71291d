package io.pageferry.agent.daemon.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.pageferry.transport.http.HttpAnswer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.CookieManager;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Over real HTTP, with a client that keeps cookies as browsers do, by host and folder: another
 * user's server on the loopback gets none of the dashboard's.
 */
class DashboardCookieTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    private final Dashboard dashboard = new Dashboard(Throwable::printStackTrace);
    /** What each request brought to the other server: a cookie, or an empty text. */
    private final BlockingQueue<String> shown = new LinkedBlockingQueue<>();
    private final HttpClient browser = HttpClient.newBuilder().cookieHandler(new CookieManager())
            .followRedirects(HttpClient.Redirect.NORMAL).connectTimeout(LONG).build();
    private HttpServer other;

    @BeforeEach
    void start() throws IOException {
        dashboard.over(call -> call.path().equals("/v1/events")
                ? new HttpAnswer.Events(sink -> sink.send("1", "state", "{}"))
                : new HttpAnswer.Whole(200, "text/plain", Map.of(),
                        call.path().getBytes(StandardCharsets.UTF_8)));
        other = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        other.createContext("/", exchange -> {
            shown.add(Optional.ofNullable(exchange.getRequestHeaders().getFirst("Cookie"))
                    .orElse(""));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        other.start();
    }

    @AfterEach
    void end() {
        browser.shutdownNow();
        other.stop(0);
        dashboard.close();
    }

    @Test
    void anotherServerOfTheHostGetsNoCookie() throws IOException, InterruptedException {
        HttpResponse<String> page = get(URI.create(dashboard.open()));
        URI home = page.uri();
        assertEquals(200, page.statusCode());
        assertTrue(page.body().contains("<title>Pageferry</title>"), page.body());
        assertEquals("/v1/health", get(home.resolve("v1/health")).body());
        assertEquals("id: 1", firstLine(home.resolve("v1/events")));
        for (String path : List.of("/", "/v1/events", "/s/", "/s/x/", "/open?token=x")) {
            assertEquals("", shownTo(path), path);
        }
        String cookie = shownTo(home.getPath());
        assertTrue(cookie.contains("pageferry="), "no port keeps it from there: " + cookie);
        HttpRequest stolen = HttpRequest.newBuilder(home.resolve("/v1/health"))
                .header("Cookie", cookie).timeout(LONG).build();
        try (HttpClient curl = HttpClient.newHttpClient()) {
            assertEquals(401, curl.send(stolen, BodyHandlers.ofString()).statusCode());
            assertEquals(401, curl.send(HttpRequest.newBuilder(home.resolve("v1/events"))
                    .timeout(LONG).build(), BodyHandlers.ofString()).statusCode());
        }
    }

    private HttpResponse<String> get(URI at) throws IOException, InterruptedException {
        return browser.send(HttpRequest.newBuilder(at).timeout(LONG).build(),
                BodyHandlers.ofString());
    }

    private String firstLine(URI at) throws IOException, InterruptedException {
        HttpResponse<InputStream> events = browser.send(
                HttpRequest.newBuilder(at).timeout(LONG).build(), BodyHandlers.ofInputStream());
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(events.body(),
                StandardCharsets.UTF_8))) {
            return lines.readLine();
        }
    }

    private String shownTo(String path) throws IOException, InterruptedException {
        get(URI.create("http://127.0.0.1:" + other.getAddress().getPort() + path));
        return shown.take();
    }
}
