package io.pageferry.transport.netty.http;

import io.netty.handler.codec.http.HttpResponseStatus;
import io.pageferry.transport.http.HttpAnswer;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What the server itself says to a call, as application/problem+json (RFC 9457). */
enum HttpProblem {
    BAD_REQUEST(400, "bad-request", "the request is not HTTP/1.1 as RFC 9112 has it",
            "use an HTTP client, for example curl --unix-socket"),
    NOT_ADMITTED(403, "not-admitted",
            "this caller may not ask the agent: on its host root, its own user and the group of its"
                    + " socket may, over TLS who has a certificate that --allow-peer lists and that"
                    + " was not revoked",
            "be one of them: usermod -a -G names groups"),
    TIMEOUT(408, "timeout", "the request did not come as a whole within "
            + HttpLimits.REQUEST.toSeconds() + " s", "send it in one go"),
    BODY_TOO_LARGE(413, "too-large", "the body has more than " + HttpLimits.BODY_BYTES + " bytes",
            "send less"),
    LINE_TOO_LONG(414, "too-large", "the first line has more than " + HttpLimits.LINE_BYTES
            + " bytes", "ask for less at once"),
    EXPECTATION(417, "bad-request", "only 100-continue can be expected here",
            "leave the header Expect out"),
    HEADERS_TOO_LARGE(431, "too-large", "the header lines have more than "
            + HttpLimits.HEADER_BYTES + " bytes", "leave some out"),
    BUG(500, "internal", "the agent failed at this call, by a bug of its own",
            "its log has more"),
    UNKNOWN_METHOD(501, "unknown-method", "no such method is known here",
            "GET, HEAD, POST, PUT, PATCH and DELETE are"),
    BUSY(503, "busy", "too many callers are here already", "ask again in a moment"),
    VERSION(505, "bad-request", "only HTTP/1.1 and 1.0 are spoken here",
            "leave HTTP/2 out: curl --http1.1");

    private static final String TYPE = "application/problem+json";

    private final int status;
    private final String code;
    private final String reason;
    private final String remedy;

    HttpProblem(int status, String code, String reason, String remedy) {
        this.status = status;
        this.code = code;
        this.reason = reason;
        this.remedy = remedy;
    }

    /** Its texts are all of this class and need no escapes. */
    HttpAnswer.Whole answer() {
        String body = "{\"type\":\"about:blank\",\"title\":\""
                + HttpResponseStatus.valueOf(status).reasonPhrase() + "\",\"status\":" + status
                + ",\"code\":\"" + code + "\",\"reason\":\"" + reason
                + "\",\"side\":\"agent\",\"remedy\":\"" + remedy + "\"}";
        return new HttpAnswer.Whole(status, TYPE, this == BUSY
                ? Map.of("Retry-After", String.valueOf(HttpLimits.RETRY_SECONDS)) : Map.of(),
                body.getBytes(StandardCharsets.UTF_8));
    }
}
