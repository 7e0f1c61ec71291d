package io.pageferry.transport.netty.http;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.pageferry.transport.http.HttpAnswer;

/** Words answers as Netty writes them. Any thread. */
final class HttpResponses {
    private HttpResponses() {
    }

    /** Tells whether its handler wants the connection to end with an answer. */
    static boolean isLast(HttpAnswer.Whole answer) {
        return "close".equals(answer.headers().get("Connection"));
    }

    /** Makes a whole answer; a head of null is one that could not be read. */
    static HttpResponse whole(HttpAnswer.Whole answer, RequestHead head, boolean keepAlive) {
        HttpResponseStatus status = HttpResponseStatus.valueOf(answer.status());
        boolean silent = head != null && head.isHead();
        HttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status,
                silent ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(answer.body()));
        answer.headers().forEach(response.headers()::set);
        if (!answer.type().isEmpty()) {
            response.headers().set(HttpHeaderNames.CONTENT_TYPE, answer.type());
        }
        if (!status.equals(HttpResponseStatus.NO_CONTENT)) {
            response.headers().set(HttpHeaderNames.CONTENT_LENGTH, answer.body().length);
        }
        response.headers().set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
        if (!keepAlive) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (!head.current()) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
        return response;
    }

    /** Makes the head of a stream of events: in chunks, or to the connection's end. */
    static HttpResponse events(RequestHead head) {
        HttpResponse response =
                new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.TEXT_EVENT_STREAM)
                .set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        if (head.current()) {
            response.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        return response;
    }
}
