package io.pageferry.agent.daemon.metrics;

import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpHandler;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Answers {@code GET /metrics} and nothing else, for whoever can connect. Any thread. */
public record MetricsPage(DaemonMetrics metrics) implements HttpHandler {
    @Override
    public HttpAnswer answer(HttpCall call) {
        boolean read = call.method().equals("GET") || call.method().equals("HEAD");
        return read && call.path().equals("/metrics")
                ? new HttpAnswer.Whole(200, DaemonMetrics.TYPE, Map.of(), metrics.text())
                : new HttpAnswer.Whole(404, "text/plain; charset=utf-8", Map.of(),
                        "there is GET /metrics\n".getBytes(StandardCharsets.UTF_8));
    }
}
