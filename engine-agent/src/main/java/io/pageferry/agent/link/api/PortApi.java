package io.pageferry.agent.link.api;

import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpHandler;
import io.pageferry.transport.netty.alpn.HttpProtocols;
import io.pageferry.transport.netty.http.HttpService;
import io.pageferry.transport.netty.tls.TlsContexts.OtherProtocols;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Consumer;

/**
 * The API on the port of an agent with TLS, for peers with a certificate; and, where others can
 * join by this agent, what they ask. Its threads are its own. Any thread.
 */
public final class PortApi implements AutoCloseable {
    private static final int UNAVAILABLE = 503;

    private final ThreadPoolExecutor pool = ApiListener.pool("pageferry-tls-api-");
    private final ThreadPoolExecutor strangers = ApiListener.pool("pageferry-join-");
    private final HttpProtocols protocols;
    private volatile HttpHandler api = PortApi::notYet;

    /**
     * Makes it, for a listener that is to be opened.
     *
     * @param allowed DNS names and URIs, one of which a peer's certificate has; empty for any
     * @param joining answers those who join; empty where none can
     * @param bugs    gets what a handler threw, on any thread
     */
    public PortApi(Set<String> allowed, Optional<HttpHandler> joining,
            Consumer<Throwable> bugs) {
        protocols = new HttpProtocols(new HttpService(call -> api.answer(call), pool,
                any -> true, bugs), allowed, joining.map(handler ->
                        new HttpService(handler, strangers, any -> true, bugs)));
    }

    /** {@return what the listener serves besides pages} */
    public OtherProtocols protocols() {
        return protocols;
    }

    /**
     * Takes what answers, once it is there: before, callers are told to come again.
     *
     * @param behind answers the calls of the API
     */
    public void over(HttpHandler behind) {
        api = behind;
    }

    private static HttpAnswer notYet(HttpCall call) {
        return new HttpAnswer.Whole(UNAVAILABLE, "text/plain; charset=utf-8",
                Map.of("Retry-After", "1"), new byte[0]);
    }

    /** Ends its threads; its listener is closed before. Idempotent. */
    @Override
    public void close() {
        protocols.close();
        pool.shutdownNow();
        strangers.shutdownNow();
    }
}
