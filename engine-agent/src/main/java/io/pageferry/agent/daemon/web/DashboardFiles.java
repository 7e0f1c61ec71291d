package io.pageferry.agent.daemon.web;

import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;

/**
 * Serves the files of the dashboard, as they lie beside this class: each by its name, nothing else.
 * Nothing in them asks another server, and a browser is told not to let them.
 */
public final class DashboardFiles {
    /** Scripts and requests of this server alone; no page may frame it, no form leave it. */
    static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self';"
            + " connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none';"
            + " frame-ancestors 'none'";

    /** Of every answer that a browser gets. */
    static final Map<String, String> HEADERS = Map.of(
            "Content-Security-Policy", POLICY,
            "X-Content-Type-Options", "nosniff",
            "Referrer-Policy", "no-referrer",
            "Cache-Control", "no-store");

    private static final String SCRIPT = "text/javascript; charset=utf-8";
    private static final String STYLE = "text/css; charset=utf-8";
    private static final String INDEX = "index.html";

    /** All that there are, with their types. */
    private static final Map<String, String> FILES = Map.ofEntries(
            Map.entry(INDEX, "text/html; charset=utf-8"),
            Map.entry("style.css", STYLE),
            Map.entry("api.js", SCRIPT),
            Map.entry("app.js", SCRIPT),
            Map.entry("chart.js", SCRIPT),
            Map.entry("dom.js", SCRIPT),
            Map.entry("map.js", SCRIPT),
            Map.entry("move.js", SCRIPT),
            Map.entry("moves.js", SCRIPT),
            Map.entry("slots.js", SCRIPT),
            Map.entry("words.js", SCRIPT),
            Map.entry("vendor/uPlot.esm.js", SCRIPT),
            Map.entry("vendor/uPlot.min.css", STYLE));

    private DashboardFiles() {
    }

    /**
     * Answers a call for a file.
     *
     * @param call of any path
     * @return the file; empty where it is none of these, or is not asked for by GET or HEAD
     */
    public static Optional<HttpAnswer> answer(HttpCall call) {
        boolean read = call.method().equals("GET") || call.method().equals("HEAD");
        String name = call.path().equals("/") ? INDEX : call.path().substring(1);
        return Optional.ofNullable(read ? FILES.get(name) : null)
                .map(type -> new HttpAnswer.Whole(200, type, HEADERS, bytes(name)));
    }

    private static byte[] bytes(String name) {
        try (InputStream in = DashboardFiles.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
