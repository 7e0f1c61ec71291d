package io.pageferry.transport.netty.http;

import io.netty.channel.Channel;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.pageferry.transport.http.HttpCall.Caller;
import java.util.Optional;

/**
 * Lays HTTP/1.1 over channels of one event loop, whatever carries their bytes: a unix socket, or
 * TLS once it has agreed on it.
 */
final class HttpPipeline {
    /** A small piece at a time: what is read is not asked for yet. */
    private static final int READ_BYTES = 16 << 10;

    private final HttpService service;
    private final HttpConnections all = new HttpConnections();

    HttpPipeline(HttpService service) {
        this.service = service;
    }

    /** Takes a channel and its caller, empty where it may not ask: it is told so then. */
    void install(Channel channel, Optional<Caller> caller) {
        channel.config().setAutoRead(false);
        channel.config().setRecvByteBufAllocator(
                new FixedRecvByteBufAllocator(READ_BYTES).maxMessagesPerRead(1));
        HttpConnection connection = new HttpConnection(service, all, caller);
        channel.pipeline().addLast(connection.arrivals(), new RequestDecoder(),
                new HttpResponseEncoder(), connection);
    }
}
