package io.pageferry.agent.client;

import io.pageferry.transport.http.EventSink;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpHandler;
import io.pageferry.transport.netty.http.HttpServer;
import io.pageferry.transport.netty.http.HttpService;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** Answers as a test says, by the server of a real agent. */
final class FakeAgent implements HttpHandler, AutoCloseable {
    final List<HttpCall> calls = new CopyOnWriteArrayList<>();
    final ApiClient client;
    volatile HttpHandler then = call -> json(200, "{}");

    private final ExecutorService pool = Executors.newFixedThreadPool(2);
    private final HttpServer server;

    FakeAgent(Path path) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
        this.server = new HttpServer(address, new HttpService(this, pool, any -> true,
                Throwable::printStackTrace));
        this.client = new ApiClient(address);
    }

    static HttpAnswer json(int status, String body) {
        return new HttpAnswer.Whole(status, "application/json", Map.of(),
                body.getBytes(StandardCharsets.UTF_8));
    }

    static HttpAnswer events(Consumer<EventSink> start) {
        return new HttpAnswer.Events(start);
    }

    @Override
    public HttpAnswer answer(HttpCall call) {
        calls.add(call);
        return then.answer(call);
    }

    @Override
    public void close() {
        server.close();
        pool.shutdownNow();
    }
}
