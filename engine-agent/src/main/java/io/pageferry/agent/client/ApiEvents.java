package io.pageferry.agent.client;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/** Events of an agent as they come. One thread; another one may close it, which ends a wait. */
public final class ApiEvents implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Bytes of one line; a report of thousands of rounds has less. */
    private static final int LINE = 4 << 20;

    private final ApiSocket socket;
    private final InputStream text;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private String id = "";
    private String kind = "";
    private String data = "";

    ApiEvents(ApiSocket socket, InputStream text) {
        this.socket = socket;
        this.text = text;
    }

    /**
     * Waits for the next event.
     *
     * @param silence how long the agent may say nothing at all; its heartbeats count
     * @return the event; empty where it was silent, and the next one may still come
     * @throws IOException when the connection ended
     */
    public Optional<ApiEvent> next(Duration silence) throws IOException {
        socket.limit(silence);
        try {
            while (true) {
                String next = line();
                if (next.isEmpty() && !data.isEmpty()) {
                    ApiEvent event = new ApiEvent(id, kind, object(data));
                    data = "";
                    return Optional.of(event);
                }
                take(next);
            }
        } catch (SocketTimeoutException e) {
            return Optional.empty();
        }
    }

    private void take(String next) {
        if (next.startsWith("id: ")) {
            id = next.substring(4);
        } else if (next.startsWith("event: ")) {
            kind = next.substring(7);
        } else if (next.startsWith("data: ")) {
            data = next.substring(6);
        }
    }

    private static ObjectNode object(String text) throws IOException {
        if (JSON.readTree(text) instanceof ObjectNode object) {
            return object;
        }
        throw new IOException("the agent sent an event that is no JSON object: " + text);
    }

    /** What has come of a line stays where the wait for the rest of it ends. */
    private String line() throws IOException {
        for (int next = text.read(); next >= 0; next = text.read()) {
            if (next == '\n') {
                String whole = line.toString(StandardCharsets.UTF_8);
                line.reset();
                return whole;
            }
            if (line.size() == LINE) {
                throw new IOException("the agent sent a line of more than " + LINE + " bytes");
            }
            line.write(next);
        }
        throw new IOException("the agent ended the connection");
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // Nothing more is read from it, which is all that is wanted.
            return;
        }
    }
}
