package io.pageferry.transport.netty.alpn;

import io.netty.channel.Channel;
import io.netty.util.concurrent.DefaultEventExecutor;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.pageferry.transport.http.HttpCall.Caller;
import io.pageferry.transport.netty.http.HttpLimits;
import io.pageferry.transport.netty.http.HttpPipeline;
import io.pageferry.transport.netty.http.HttpService;
import io.pageferry.transport.netty.tls.TlsContexts.OtherProtocols;
import io.pageferry.transport.netty.tls.TlsIdentity;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Serves HTTP/1.1 on a port with TLS: to peers with a certificate of its CA, and to those who join,
 * who have none yet. Both have limits of their own, and one thread beside those that carry pages.
 * Any thread.
 */
public final class HttpProtocols implements OtherProtocols, AutoCloseable {
    /** As clients of HTTP name it. */
    public static final String API = "http/1.1";

    /** Of hosts that ask for a certificate. */
    public static final String JOIN = "pageferry-join/1";

    /** Connections of strangers at once: a host joins once in its life. */
    public static final int STRANGERS = 16;

    private static final long CLOSING_MILLIS = 1000;
    /** No user of this host. */
    private static final int NOBODY = -1;

    private final EventExecutor thread =
            new DefaultEventExecutor(new DefaultThreadFactory("pageferry-tls-api", true));
    private final Map<String, HttpPipeline> pipelines = new LinkedHashMap<>();
    private final Set<String> allowed;

    /**
     * Makes them; nothing is served before a listener has them.
     *
     * @param api     is asked by peers with a certificate that was not revoked
     * @param allowed DNS names and URIs, one of which that certificate has; empty for any
     * @param joining is asked by anybody; a caller without a certificate has no name
     */
    public HttpProtocols(HttpService api, Set<String> allowed, Optional<HttpService> joining) {
        this.allowed = Set.copyOf(allowed);
        pipelines.put(API, new HttpPipeline(api, HttpLimits.CONNECTIONS, thread));
        joining.ifPresent(service -> pipelines.put(JOIN,
                new HttpPipeline(service, STRANGERS, thread)));
    }

    @Override
    public Set<String> names() {
        return pipelines.keySet();
    }

    @Override
    public boolean isForStrangers(String name) {
        return name.equals(JOIN);
    }

    @Override
    public void take(Channel channel, String name, Optional<TlsIdentity> peer) {
        Optional<TlsIdentity> known = peer.filter(one -> !one.isRevoked());
        String text = known.map(TlsIdentity::text).orElse("");
        Optional<Caller> caller = Optional.of(new Caller(NOBODY, NOBODY, text,
                known.map(TlsIdentity::serial)));
        boolean may = isForStrangers(name)
                || known.isPresent() && (allowed.isEmpty() || known.get().isOneOf(allowed));
        pipelines.get(name).install(channel, caller.filter(any -> may));
    }

    @Override
    public void settle(long millis) {
        // What was handed to it before is done by then.
        if (!thread.isShuttingDown()) {
            thread.submit(() -> { }).awaitUninterruptibly(millis);
        }
    }

    /** Ends the thread; the listener that has the connections is closed before. Idempotent. */
    @Override
    public void close() {
        thread.shutdownGracefully(0, CLOSING_MILLIS, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(2 * CLOSING_MILLIS);
    }
}
