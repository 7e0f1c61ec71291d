package io.pageferry.agent.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import javax.net.ssl.SSLContext;

/** Asks an agent, with a connection for each call. Any thread. */
public final class ApiClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Some answers wait for another host. */
    private static final Duration ANSWER = Duration.ofMinutes(2);

    private final Address address;
    private final boolean overTls;

    /** Makes connections. */
    @FunctionalInterface
    private interface Address {
        ApiSocket connect() throws IOException;
    }

    private ApiClient(Address address, boolean overTls) {
        this.address = address;
        this.overTls = overTls;
    }

    /**
     * Makes a client of this host's agent; nothing is connected yet.
     *
     * @param address of the agent's socket
     */
    public ApiClient(UnixDomainSocketAddress address) {
        this(() -> UnixSocket.connect(address, ANSWER), false);
    }

    /**
     * Makes a client of an agent at a port; nothing is connected yet.
     *
     * @param address  HOST:PORT
     * @param context  who this side is, and whom it believes
     * @param protocol of HTTP that both name in the handshake
     * @return the client
     * @throws IOException where that is no address
     */
    public static ApiClient overTls(String address, SSLContext context, String protocol)
            throws IOException {
        TlsAddress there = TlsAddress.parse(address, context, protocol);
        return new ApiClient(() -> TlsSocket.connect(there, ANSWER), true);
    }

    /** {@return whether it asks an agent at a port} */
    public boolean isOverTls() {
        return overTls;
    }

    /**
     * Tries whether somebody listens there that this user may connect to.
     *
     * @throws IOException with the reason, where not
     */
    public void probe() throws IOException {
        address.connect().close();
    }

    /**
     * Asks the agent.
     *
     * @param method of HTTP
     * @param path   with its query
     * @return the answer's body; missing where it has none
     * @throws ApiException when the agent refuses
     * @throws IOException  when it cannot be reached, or is no agent
     */
    public JsonNode call(String method, String path) throws IOException {
        return call(method, path, null);
    }

    /**
     * Asks, and says something.
     *
     * @param method of HTTP
     * @param path   with its query
     * @param body   what is said; null for nothing
     * @return the answer's body; missing where it has none
     * @throws ApiException when the agent refuses
     * @throws IOException  when it cannot be reached, or is no agent
     */
    public JsonNode call(String method, String path, ObjectNode body) throws IOException {
        try (ApiSocket socket = address.connect()) {
            return ask(socket, method + " " + path, body, "");
        }
    }

    /**
     * Asks for what must not be done twice, by a key of its own: where the connection ends before
     * the answer, it is asked for once more, and the agent answers with what it has begun.
     *
     * @param path with its query, of a POST
     * @param body what is said
     * @return the answer's body
     * @throws ApiException        when the agent refuses
     * @throws UnansweredException when there was no answer: nobody knows whether it was begun
     * @throws IOException         when it cannot be reached, and nothing was begun
     */
    public JsonNode begin(String path, ObjectNode body) throws IOException {
        String key = "Idempotency-Key: " + UUID.randomUUID() + "\r\n";
        try (ApiSocket socket = address.connect()) {
            return begin(socket, path, body, key);
        }
    }

    private JsonNode begin(ApiSocket first, String path, ObjectNode body, String key)
            throws IOException {
        try {
            return ask(first, "POST " + path, body, key);
        } catch (ApiException e) {
            throw e;
        } catch (IOException broken) {
            try (ApiSocket second = address.connect()) {
                return ask(second, "POST " + path, body, key);
            } catch (ApiException e) {
                throw e;
            } catch (IOException e) {
                throw new UnansweredException(broken, e);
            }
        }
    }

    private static JsonNode ask(ApiSocket socket, String what, ObjectNode body, String headers)
            throws IOException {
        byte[] json = body == null ? new byte[0]
                : body.toString().getBytes(StandardCharsets.UTF_8);
        send(socket, what, headers + "Content-Type: application/json\r\n"
                + "Content-Length: " + json.length + "\r\n", json);
        ResponseReader reader = new ResponseReader(socket);
        ResponseReader.Head head = reader.head();
        return checked(head, reader.body(head));
    }

    /**
     * Follows events.
     *
     * @param path  with its query
     * @param after id of the last event that is known; empty for new ones alone
     * @return the events, the caller's to close
     * @throws ApiException when the agent refuses
     * @throws IOException  when it cannot be reached, or is no agent
     */
    public ApiEvents events(String path, String after) throws IOException {
        ApiSocket socket = address.connect();
        try {
            send(socket, "GET " + path, after.isEmpty() ? ""
                    : "Last-Event-ID: " + after + "\r\n", new byte[0]);
            ResponseReader reader = new ResponseReader(socket);
            ResponseReader.Head head = reader.head();
            if (!head.isChunked()) {
                checked(head, reader.body(head));
                throw new IOException("this is no agent: " + path + " has no events");
            }
            return new ApiEvents(socket, reader.chunks());
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private static void send(ApiSocket socket, String what, String headers, byte[] body)
            throws IOException {
        socket.write(ByteBuffer.wrap((what + " HTTP/1.1\r\nHost: pageferry\r\n" + headers
                + "\r\n").getBytes(StandardCharsets.UTF_8)));
        socket.write(ByteBuffer.wrap(body));
    }

    private static JsonNode checked(ResponseReader.Head head, byte[] body) throws IOException {
        boolean json = head.headers().getOrDefault("content-type", "").contains("json");
        JsonNode read = json && body.length > 0 ? JSON.readTree(body) : JSON.missingNode();
        if (head.status() / 100 != 2) {
            throw ApiException.of(head.status(), read);
        }
        return read;
    }
}
