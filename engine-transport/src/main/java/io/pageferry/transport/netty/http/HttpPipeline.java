package io.pageferry.transport.netty.http;

import io.netty.channel.Channel;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.util.concurrent.EventExecutor;
import io.pageferry.transport.http.HttpCall.Caller;
import java.util.Optional;

/**
 * Lays HTTP/1.1 over channels of one event loop, whatever carries their bytes: a unix socket, or
 * TLS once it has agreed on it.
 */
public final class HttpPipeline {
    /** A small piece at a time: what is read is not asked for yet. */
    private static final int READ_BYTES = 16 << 10;

    private final HttpService service;
    private final HttpConnections all;
    /** Null where each channel's own thread does it. */
    private final EventExecutor thread;

    HttpPipeline(HttpService service) {
        this(service, HttpLimits.CONNECTIONS, null);
    }

    /**
     * Makes one for channels whose IO threads have more important things to do.
     *
     * @param service     what is served
     * @param connections at once; a further one takes the place of one that asks for nothing
     * @param thread      does all but to carry the bytes; stays the caller's
     */
    public HttpPipeline(HttpService service, int connections, EventExecutor thread) {
        this.service = service;
        this.all = new HttpConnections(connections);
        this.thread = thread;
    }

    /**
     * Takes a channel, on its IO thread.
     *
     * @param channel open
     * @param caller  who asks; empty for one that may not, and is told so
     */
    @SuppressWarnings("deprecation") // a thread of its own for handlers, which nothing replaces
    public void install(Channel channel, Optional<Caller> caller) {
        channel.config().setAutoRead(false);
        channel.config().setRecvByteBufAllocator(
                new FixedRecvByteBufAllocator(READ_BYTES).maxMessagesPerRead(1));
        HttpConnection connection = new HttpConnection(service, all, caller);
        channel.pipeline().addLast(thread, connection.arrivals(), new RequestDecoder(),
                new HttpResponseEncoder(), connection);
    }
}
