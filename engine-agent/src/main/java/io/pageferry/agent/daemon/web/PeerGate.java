package io.pageferry.agent.daemon.web;

import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpAnswer.Whole;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpHandler;
import java.nio.charset.StandardCharsets;

/**
 * Stands before the dashboard and the API where peers come to them by TLS. A browser shows its
 * user's certificate to this host for whatever page asks it to, so that a page of another host is
 * turned away here. Any thread.
 */
public final class PeerGate implements HttpHandler {
    private static final int FORBIDDEN = 403;

    private final HttpHandler behind;

    /**
     * Makes a gate.
     *
     * @param behind answers the calls of the API
     */
    public PeerGate(HttpHandler behind) {
        this.behind = behind;
    }

    @Override
    public HttpAnswer answer(HttpCall call) {
        if (!isOurs(call)) {
            return refused("a page of another host asks");
        }
        if (call.path().equals("/v1/dashboard")) {
            return refused("that is for callers on this host: the dashboard of others is at /");
        }
        return DashboardFiles.answer(call).orElseGet(() -> behind.answer(call));
    }

    /** Programs say neither; a browser says where the page is from that asks. */
    private static boolean isOurs(HttpCall call) {
        String origin = call.headers().get("origin");
        String site = call.headers().getOrDefault("sec-fetch-site", "none");
        return (origin == null
                || origin.equals("https://" + call.headers().getOrDefault("host", "")))
                && (site.equals("none") || site.equals("same-origin"));
    }

    private static HttpAnswer refused(String why) {
        return new Whole(FORBIDDEN, "text/plain; charset=utf-8", DashboardFiles.HEADERS,
                (why + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
