package io.pageferry.agent.guest.qemu.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** What a monitor may say while two commands wait for their replies. */
public final class QmpTargets implements FuzzTargets {
    private static final String GREETING = """
            {"QMP": {"version": {"qemu": {"micro": 1, "minor": 2, "major": 7}, "package": "p"}, \
            "capabilities": ["oob"]}}
            """;
    private static final String REPLIES = """
            {"return": {}, "id": 1}
            {"timestamp": {"seconds": 1267020223, "microseconds": 435656}, "event": "RESUME", \
            "data": {"a": [1, true, null, -2.5e3, "\\u00e4"]}}
            {"id": 2, "error": {"class": "GenericError", "desc": "no\\nsuch device"}}
            """;
    private static final String UNKNOWN = """
            {"error": {"class": "GenericError", "desc": "Invalid JSON syntax"}}
            {"return": 7, "id": 99}

            """;

    @Override
    public List<FuzzTarget> all() {
        return List.of(new Monitor());
    }

    private static final class Monitor implements FuzzTarget {
        private static final Path SOCKET = Path.of("qmp.sock");

        @Override
        public String name() {
            return "qmp";
        }

        @Override
        public List<Class<?>> parserClasses() {
            return List.of(QmpLines.class, QmpReplies.class, QmpClient.class);
        }

        @Override
        public boolean parses(String method) {
            return List.of("take", "parse", "message", "reply", "keep", "version", "result")
                    .contains(method);
        }

        @Override
        public Map<String, byte[]> seeds() {
            return Map.of("greeting", GREETING.getBytes(StandardCharsets.UTF_8),
                    "replies", REPLIES.getBytes(StandardCharsets.UTF_8),
                    "unknown", UNKNOWN.getBytes(StandardCharsets.UTF_8));
        }

        /** The choice is the length of the pieces in which it comes. */
        @Override
        public boolean take(int choice, byte[] bytes) {
            String whole = said(bytes, Math.max(1, bytes.length));
            String inPieces = said(bytes, choice + 1);
            if (!whole.equals(inPieces)) {
                throw new AssertionError(whole + " at once, and in pieces " + inPieces);
            }
            return whole.startsWith("taken");
        }

        private static String said(byte[] bytes, int piece) {
            QmpReplies replies = new QmpReplies(SOCKET.toString());
            Map<Long, CompletableFuture<JsonNode>> asked = new TreeMap<>(Map.of(
                    1L, new CompletableFuture<>(), 2L, new CompletableFuture<>()));
            replies.await(asked);
            QmpLines lines = new QmpLines(SOCKET, replies);
            String end = "taken";
            try {
                for (int at = 0; at < bytes.length; at += piece) {
                    lines.take(ByteBuffer.wrap(Arrays.copyOfRange(bytes, at,
                            Math.min(bytes.length, at + piece))));
                }
            } catch (QmpException e) {
                end = e.getMessage();
            }
            StringBuilder all = new StringBuilder(end);
            if (replies.greeting().isDone()) {
                all.append(' ').append(QmpClient.version(replies.greeting().join()));
            }
            asked.forEach((id, reply) -> all.append(' ').append(id).append(result(reply)));
            for (QmpClient.Event one = replies.pollEvent(); one != null;
                    one = replies.pollEvent()) {
                all.append(' ').append(one);
            }
            return all.toString();
        }

        private static String result(CompletableFuture<JsonNode> reply) {
            try {
                return reply.isDone() ? QmpClient.result("query", reply.join()).toString() : "-";
            } catch (QmpException e) {
                return e.getMessage();
            }
        }
    }
}
