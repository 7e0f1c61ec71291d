package io.pageferry.agent.qemu;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.qemu.QmpException.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * One connection to a QEMU monitor: newline-delimited JSON over a UNIX socket, replies matched to
 * commands by id, events kept for {@link #pollEvent()}.
 *
 * <p>All methods may be called from any thread. An interrupt neither breaks a command nor closes
 * the connection, because a roll-back needs it most when somebody cancels; it stays pending.
 *
 * <p>QEMU serves one client per monitor: while another holds it, a connection is accepted by the
 * kernel and never greeted. One daemon thread per client reads.
 */
public final class QmpClient implements AutoCloseable {
    /** A monitor greets at once; QEMU itself may be busy for a moment. */
    public static final Duration GREETING_LIMIT = Duration.ofSeconds(5);
    /** For commands that do no work of their own. */
    public static final Duration COMMAND_LIMIT = Duration.ofSeconds(10);
    /** Events kept until polled; of more, the oldest are dropped and counted. */
    public static final int EVENT_CAPACITY = 256;
    /** query-qmp-schema, the longest reply known, has about 200 KB. */
    private static final int LINE_LIMIT = 8 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * An event as QEMU sent it.
     *
     * @param name for example {@code RESUME}
     * @param data the event's members, or a missing node
     * @param epochMicros QEMU's wall clock, microseconds since 1970
     */
    public record Event(String name, JsonNode data, long epochMicros) {
    }

    /** QEMU's own version, from its greeting. */
    public record Version(int major, int minor, int micro, String packaged) {
        @Override
        public String toString() {
            return major + "." + minor + "." + micro;
        }
    }

    private final Path socket;
    private final SocketChannel channel;
    private final Selector selector;
    private final CompletableFuture<JsonNode> greeting = new CompletableFuture<>();
    private final Map<Long, CompletableFuture<JsonNode>> pending = new ConcurrentHashMap<>();
    private final ArrayBlockingQueue<Event> events = new ArrayBlockingQueue<>(EVENT_CAPACITY);
    private final AtomicLong droppedEvents = new AtomicLong();
    private final AtomicLong nextId = new AtomicLong(1);
    private final Object writeLock = new Object();
    private volatile QmpException end;
    private volatile boolean ready;
    private volatile Version version;

    private QmpClient(Path socket, SocketChannel channel, Selector selector) {
        this.socket = socket;
        this.channel = channel;
        this.selector = selector;
    }

    /** As {@link #connect(Path, Duration)} with {@link #GREETING_LIMIT}. */
    public static QmpClient connect(Path socket) throws IOException {
        return connect(socket, GREETING_LIMIT);
    }

    /**
     * Connects, awaits the greeting and leaves capability negotiation.
     *
     * @throws QmpException with CLOSED where nobody listens at the path, with TIMEOUT where
     *     nobody greets within the limit: QEMU serves another client
     */
    public static QmpClient connect(Path socket, Duration limit) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        Selector selector = null;
        QmpClient client = null;
        try {
            selector = Selector.open();
            // Non-blocking from the start: a blocking channel would be closed by an interrupt,
            // and its connect would wait for ever on a listener whose backlog is full.
            channel.configureBlocking(false);
            client = new QmpClient(socket, channel, selector);
            client.open(System.nanoTime() + limit.toNanos());
            return client;
        } catch (IOException | RuntimeException e) {
            if (client != null) {
                client.close();
            }
            channel.close();
            if (selector != null) {
                selector.close();
            }
            throw e;
        }
    }

    private void open(long deadline) throws IOException {
        if (!Files.exists(socket)) {
            throw QmpException.of(Kind.CLOSED, "there is no monitor at " + socket
                    + ": start QEMU with -qmp unix:" + socket + ",server=on,wait=off");
        }
        if (!connected()) {
            throw held();
        }
        channel.register(selector, SelectionKey.OP_READ);
        Thread reader = Thread.ofPlatform().daemon().name("qmp " + socket.getFileName())
                .unstarted(this::read);
        reader.start();
        JsonNode hello;
        try {
            hello = await(greeting, deadline);
        } catch (TimeoutException e) {
            throw held();
        }
        JsonNode qemu = hello.path("version").path("qemu");
        version = new Version(qemu.path("major").asInt(), qemu.path("minor").asInt(),
                qemu.path("micro").asInt(), hello.path("version").path("package").asText());
        ready = true;
        execute("qmp_capabilities");
    }

    private boolean connected() throws IOException {
        try {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (ConnectException e) {
            throw QmpException.of(Kind.CLOSED, "nobody listens at " + socket
                    + ": the QEMU that made it has ended");
        } catch (SocketException e) {
            // EAGAIN: the backlog is full of clients that wait for the one that is served.
            if (Files.isWritable(socket)) {
                return false;
            }
            throw QmpException.of(Kind.CLOSED, socket + ": " + e.getMessage());
        }
    }

    private QmpException held() {
        return QmpException.of(Kind.TIMEOUT, "no greeting from " + socket
                + ": the monitor is held by another client: give Pageferry a -qmp of its own");
    }

    /** As {@link #execute(String, JsonNode, Duration)}, no arguments, default limit. */
    public JsonNode execute(String command) throws QmpException {
        return execute(command, null, COMMAND_LIMIT);
    }

    /** As {@link #execute(String, JsonNode, Duration)}, default limit. */
    public JsonNode execute(String command, JsonNode arguments) throws QmpException {
        return execute(command, arguments, COMMAND_LIMIT);
    }

    /**
     * Sends a command and awaits its reply.
     *
     * @param arguments an object, or null
     * @param limit how long to wait; afterwards the connection is still good, and a late reply
     *     is dropped
     * @return the member {@code return} of the reply
     */
    public JsonNode execute(String command, JsonNode arguments, Duration limit)
            throws QmpException {
        long deadline = System.nanoTime() + limit.toNanos();
        long id = nextId.getAndIncrement();
        CompletableFuture<JsonNode> reply = new CompletableFuture<>();
        pending.put(id, reply);
        try {
            send(command, arguments, id, deadline);
            return result(command, await(reply, deadline));
        } catch (TimeoutException e) {
            throw QmpException.of(Kind.TIMEOUT, "QEMU did not answer " + command + " within "
                    + limit.toMillis() + " ms");
        } finally {
            pending.remove(id);
        }
    }

    private static JsonNode result(String command, JsonNode reply) throws QmpException {
        JsonNode error = reply.path("error");
        if (error.isMissingNode()) {
            return reply.path("return");
        }
        throw QmpException.refused(command, error.path("class").asText(),
                error.path("desc").asText());
    }

    private void send(String command, JsonNode arguments, long id, long deadline)
            throws QmpException, TimeoutException {
        ObjectNode message = JSON.createObjectNode().put("execute", command).put("id", id);
        if (arguments != null) {
            message.set("arguments", arguments);
        }
        ByteBuffer bytes = ByteBuffer.wrap((message + "\n").getBytes(StandardCharsets.UTF_8));
        synchronized (writeLock) {
            while (bytes.hasRemaining()) {
                ended();
                try {
                    if (channel.write(bytes) > 0) {
                        continue;
                    }
                } catch (IOException e) {
                    // The reader's word, if it has one, says more than "broken pipe".
                    finish(closed(e.getMessage()));
                    throw end;
                }
                // A monitor's socket buffer takes many commands, so this is a QEMU that hangs.
                if (System.nanoTime() - deadline > 0) {
                    // Half a command may be out: nothing sent after it would be understood.
                    finish(closed("QEMU does not read commands"));
                    throw new TimeoutException();
                }
                LockSupport.parkNanos(100_000);
            }
        }
        ended();
    }

    private void ended() throws QmpException {
        QmpException reason = end;
        if (reason != null) {
            throw QmpException.of(reason.kind(), reason.getMessage());
        }
    }

    private static <T> T await(CompletableFuture<T> future, long deadline)
            throws QmpException, TimeoutException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return future.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof QmpException reason) {
                        throw QmpException.of(reason.kind(), reason.getMessage());
                    }
                    throw new IllegalStateException(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** The oldest event not polled yet, or null; never blocks. */
    public Event pollEvent() {
        return events.poll();
    }

    /** How many events were lost because nobody polled. */
    public long droppedEvents() {
        return droppedEvents.get();
    }

    /** From the greeting. */
    public Version version() {
        return version;
    }

    /** The path that this client connected to. */
    public Path socket() {
        return socket;
    }

    /** False once the connection ended, whoever ended it. */
    public boolean isOpen() {
        return end == null;
    }

    /** Ends the connection; commands that wait fail with CLOSED. Does not end QEMU. */
    @Override
    public void close() {
        finish(closed("closed by this side"));
    }

    private QmpException closed(String why) {
        return QmpException.of(Kind.CLOSED, "the monitor " + socket + " is gone: " + why);
    }

    private void finish(QmpException reason) {
        synchronized (pending) {
            if (end != null) {
                return;
            }
            end = reason;
        }
        try {
            channel.close();
            selector.close();
        } catch (IOException e) {
            // Nothing was buffered here, so a close that fails loses nothing.
        }
        greeting.completeExceptionally(reason);
        pending.values().forEach(reply -> reply.completeExceptionally(reason));
    }

    private void read() {
        ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
        ByteArrayOutputStream line = new ByteArrayOutputStream(4096);
        try {
            while (end == null) {
                selector.select();
                selector.selectedKeys().clear();
                int count = channel.read(buffer.clear());
                if (count < 0) {
                    finish(closed("QEMU closed it, most likely because it ended"));
                    return;
                }
                split(buffer.flip(), line);
            }
        } catch (QmpException e) {
            finish(e);
        } catch (IOException | ClosedSelectorException e) {
            finish(closed(String.valueOf(e.getMessage())));
        }
    }

    private void split(ByteBuffer buffer, ByteArrayOutputStream line) throws QmpException {
        while (buffer.hasRemaining()) {
            byte b = buffer.get();
            if (b == '\n') {
                dispatch(line.toByteArray());
                line.reset();
            } else if (line.size() >= LINE_LIMIT) {
                throw QmpException.of(Kind.PROTOCOL, "a line of more than " + LINE_LIMIT
                        + " bytes from " + socket + ": that is not QMP");
            } else {
                line.write(b);
            }
        }
    }

    private void dispatch(byte[] line) throws QmpException {
        JsonNode message;
        try {
            message = JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw QmpException.of(Kind.PROTOCOL, socket + " does not speak QMP: "
                    + e.getOriginalMessage());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        if (message == null || message instanceof MissingNode) {
            return;
        }
        if (message.has("event")) {
            keep(message);
        } else if (message.has("QMP")) {
            greeting.complete(message.path("QMP"));
        } else if (message.has("return") || message.has("error")) {
            reply(message);
        } else {
            throw QmpException.of(Kind.PROTOCOL, socket + " does not speak QMP: neither a reply"
                    + " nor an event came");
        }
    }

    private void reply(JsonNode message) {
        // QEMU leaves the id out only where it could not parse the command.
        if (message.has("id")) {
            CompletableFuture<JsonNode> waiting = pending.get(message.path("id").asLong());
            if (waiting != null) {
                waiting.complete(message);
            }
        } else {
            pending.values().forEach(waiting -> waiting.complete(message));
        }
    }

    private void keep(JsonNode message) {
        JsonNode at = message.path("timestamp");
        Event event = new Event(message.path("event").asText(), message.path("data"),
                at.path("seconds").asLong() * 1_000_000 + at.path("microseconds").asLong());
        while (!events.offer(event)) {
            if (events.poll() != null) {
                droppedEvents.incrementAndGet();
            }
        }
    }
}
