package io.pageferry.transport.netty.http;

import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpCall.Caller;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * All of a request but its body.
 *
 * @param method    as it was sent
 * @param path      decoded
 * @param query     decoded
 * @param headers   names in lower case
 * @param keepAlive whether another request may follow
 * @param current   whether it is HTTP/1.1, whose answers may come in chunks
 * @param expects   whether the caller waits for a word before it sends the body
 */
record RequestHead(String method, String path, Map<String, String> query,
        Map<String, String> headers, boolean keepAlive, boolean current, boolean expects) {
    private static final Set<String> METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE");

    /** Looks for what is wrong with a request, beyond what its body may have. */
    static Optional<HttpProblem> objection(HttpRequest request) {
        if (request.decoderResult().isFailure()) {
            return Optional.of(problem(request.decoderResult().cause()));
        }
        HttpVersion version = request.protocolVersion();
        boolean current = version.equals(HttpVersion.HTTP_1_1);
        if (!current && !version.equals(HttpVersion.HTTP_1_0)) {
            return Optional.of(HttpProblem.VERSION);
        }
        if (!METHODS.contains(request.method().name())) {
            return Optional.of(HttpProblem.UNKNOWN_METHOD);
        }
        int hosts = request.headers().getAll(HttpHeaderNames.HOST).size();
        if (hosts > 1 || current && hosts == 0
                || !current && request.headers().contains(HttpHeaderNames.TRANSFER_ENCODING)) {
            return Optional.of(HttpProblem.BAD_REQUEST);
        }
        String expects = request.headers().get(HttpHeaderNames.EXPECT);
        if (expects != null && !HttpHeaderValues.CONTINUE.contentEqualsIgnoreCase(expects)) {
            return Optional.of(HttpProblem.EXPECTATION);
        }
        if (HttpUtil.getContentLength(request, 0L) > HttpLimits.BODY_BYTES) {
            return Optional.of(HttpProblem.BODY_TOO_LARGE);
        }
        try {
            return target(request.uri()).path().startsWith("/") ? Optional.empty()
                    : Optional.of(HttpProblem.BAD_REQUEST);
        } catch (IllegalArgumentException e) {
            return Optional.of(HttpProblem.BAD_REQUEST);
        }
    }

    /** Says what a failure of the decoder means. */
    static HttpProblem problem(Throwable cause) {
        return switch (cause) {
            case TooLongHttpLineException e -> HttpProblem.LINE_TOO_LONG;
            case TooLongHttpHeaderException e -> HttpProblem.HEADERS_TOO_LARGE;
            default -> HttpProblem.BAD_REQUEST;
        };
    }

    /** Reads one to which there is no objection. */
    static RequestHead of(HttpRequest request) {
        Target target = target(request.uri());
        Map<String, String> headers = new HashMap<>();
        request.headers().forEach(header ->
                headers.put(header.getKey().toLowerCase(Locale.ROOT), header.getValue()));
        boolean current = request.protocolVersion().equals(HttpVersion.HTTP_1_1);
        return new RequestHead(request.method().name(), target.path, target.query,
                Map.copyOf(headers), HttpUtil.isKeepAlive(request), current,
                current && headers.containsKey("expect"));
    }

    boolean isHead() {
        return method.equals("HEAD");
    }

    /** A handler is asked for what HEAD is about as if it were GET. */
    HttpCall call(byte[] body, Caller caller) {
        return new HttpCall(isHead() ? "GET" : method, path, query, headers, body, caller);
    }

    private record Target(String path, Map<String, String> query) { }

    /** Whoever thinks that it speaks to a proxy names the scheme and the host too. */
    private static Target target(String uri) {
        String origin = uri.replaceFirst("(?i)^https?://[^/?#]+", "");
        QueryStringDecoder decoded = new QueryStringDecoder(origin);
        String path = decoded.path();
        Map<String, String> query = new HashMap<>();
        for (Map.Entry<String, List<String>> one : decoded.parameters().entrySet()) {
            query.put(one.getKey(), one.getValue().getLast());
        }
        return new Target(path, Map.copyOf(query));
    }
}
