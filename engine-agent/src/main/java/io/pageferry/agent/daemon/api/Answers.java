package io.pageferry.agent.daemon.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.daemon.CallException;
import io.pageferry.agent.report.Output;
import io.pageferry.transport.http.HttpAnswer;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Makes answers. */
final class Answers {
    static final int OK = 200;
    static final int CREATED = 201;
    static final int ACCEPTED = 202;
    static final int NO_CONTENT = 204;
    private static final int NO_METHOD = 405;
    private static final String JSON = "application/json";
    private static final String PROBLEM = "application/problem+json";

    private Answers() {
    }

    static HttpAnswer json(int status, JsonNode body) {
        return json(status, body, Map.of());
    }

    static HttpAnswer json(int status, JsonNode body, Map<String, String> headers) {
        return new HttpAnswer.Whole(status, JSON, headers, bytes(body));
    }

    static HttpAnswer empty() {
        return new HttpAnswer.Whole(NO_CONTENT, JSON, Map.of(), new byte[0]);
    }

    static HttpAnswer problem(CallException refused) {
        return problem(refused.why().status(), refused.why().code(), refused.getMessage(),
                refused.remedy(), Map.of());
    }

    static HttpAnswer noMethod(String method, String path, String allowed) {
        return problem(NO_METHOD, "method", method + " is nothing that " + path + " answers",
                "use " + allowed, Map.of("Allow", allowed));
    }

    private static HttpAnswer problem(int status, String code, String reason, String remedy,
            Map<String, String> headers) {
        ObjectNode body = Output.object().put("type", "about:blank").put("title", title(status))
                .put("status", status).put("code", code).put("reason", reason)
                .put("side", "agent").put("remedy", remedy);
        return new HttpAnswer.Whole(status, PROBLEM, headers, bytes(body));
    }

    private static byte[] bytes(JsonNode body) {
        return body.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String title(int status) {
        return switch (status) {
            case 400 -> "Bad Request";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case NO_METHOD -> "Method Not Allowed";
            case 409 -> "Conflict";
            case 503 -> "Service Unavailable";
            default -> "Internal Server Error";
        };
    }
}
