package io.pageferry.agent.guest.qemu.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One client of a QEMU monitor: replies are matched to commands by id, events are kept for
 * {@link #pollEvent()}.
 *
 * <p>All methods may be called from any thread. An interrupt neither breaks a command nor closes
 * the connection, because a roll-back needs it most after a cancel; it stays pending.
 *
 * <p>QEMU serves one client per monitor: while another holds it, the kernel accepts a connection
 * and no greeting comes.
 */
public final class QmpClient implements AutoCloseable {
    /** A monitor greets at once; QEMU itself may be busy for a moment. */
    public static final Duration GREETING_LIMIT = Duration.ofSeconds(5);
    /** For commands that do no work of their own. */
    public static final Duration COMMAND_LIMIT = Duration.ofSeconds(10);
    /**
     * Longest wait for a reply as long as an earlier one is overdue: QEMU obeys one command after
     * another, and hangs in one.
     */
    public static final Duration OVERDUE_LIMIT = Duration.ofSeconds(1);
    /** Events kept until polled; of more, the oldest are dropped and counted. */
    public static final int EVENT_CAPACITY = 256;

    /**
     * An event as QEMU sent it.
     *
     * @param name for example {@code RESUME}
     * @param data the event's members, or a missing node
     * @param epochMicros QEMU's wall clock, microseconds since 1970
     */
    public record Event(String name, JsonNode data, long epochMicros) {
    }

    /**
     * A command for QEMU.
     *
     * @param name of the command
     * @param arguments an object, or null
     */
    public record Command(String name, JsonNode arguments) {
        private String message(long id) {
            ObjectNode message = JsonNodeFactory.instance.objectNode().put("execute", name)
                    .put("id", id);
            if (arguments != null) {
                message.set("arguments", arguments);
            }
            return message.toString();
        }
    }

    /** QEMU's own version, from its greeting. */
    public record Version(int major, int minor, int micro, String packaged) {
        @Override
        public String toString() {
            return major + "." + minor + "." + micro;
        }
    }

    private final String name;
    private final QmpReplies replies;
    private final AtomicLong nextId = new AtomicLong(1);
    private final QmpTransport connection;
    private final Version version;

    /** As {@link #connect(Path, Duration)} with {@link #GREETING_LIMIT}. */
    public static QmpClient connect(Path socket) throws IOException {
        return connect(socket, GREETING_LIMIT);
    }

    /**
     * Connects, awaits the greeting and leaves capability negotiation.
     *
     * @param limit longer than zero; where it is shorter than {@link #GREETING_LIMIT}, for each of
     *     the two
     * @throws QmpException with CLOSED where the path has no listener, with TIMEOUT where no
     *     greeting comes within the limit: QEMU serves another client
     */
    public static QmpClient connect(Path socket, Duration limit) throws IOException {
        return connect(socket.toString(), handler -> QmpConnection.open(socket, handler), limit);
    }

    /**
     * Does so over any transport.
     *
     * @param name   what leads to the monitor, for people
     * @param opener of the transport
     * @param limit  longer than zero
     * @throws IOException as of the opener, or as above
     */
    public static QmpClient connect(String name, QmpTransport.Opener opener, Duration limit)
            throws IOException {
        return new QmpClient(name, opener, limit);
    }

    private QmpClient(String name, QmpTransport.Opener opener, Duration limit)
            throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        this.name = name;
        this.replies = new QmpReplies(name);
        this.connection = opener.open(replies);
        if (connection == null) {
            throw held();
        }
        boolean success = false;
        try {
            this.version = version(await(replies.greeting(), deadline));
            execute("qmp_capabilities", null,
                    limit.compareTo(GREETING_LIMIT) < 0 ? limit : COMMAND_LIMIT);
            success = true;
        } catch (TimeoutException e) {
            throw held();
        } finally {
            if (!success) {
                close();
            }
        }
    }

    static Version version(JsonNode greeting) {
        JsonNode qemu = greeting.path("version").path("qemu");
        return new Version(qemu.path("major").asInt(), qemu.path("minor").asInt(),
                qemu.path("micro").asInt(), greeting.path("version").path("package").asText());
    }

    private QmpException held() {
        return QmpException.of(Kind.TIMEOUT, "no greeting from " + name
                + ": the monitor is held by another client, or QEMU hangs");
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
     * @param limit how long to wait, at most {@link #OVERDUE_LIMIT} where an earlier reply is
     *     overdue; afterwards the connection is still good: QEMU obeys when it comes to it, and a
     *     late reply is dropped
     * @return the member {@code return} of the reply
     */
    public JsonNode execute(String command, JsonNode arguments, Duration limit)
            throws QmpException {
        return execute(List.of(new Command(command, arguments)), limit).getFirst();
    }

    /**
     * Sends commands in one go and awaits their replies: QEMU obeys them in this order, without a
     * round trip between two of them. It goes on after one that it refused.
     *
     * @param commands 1 or more
     * @param limit for all of them, as for one
     * @return the members {@code return} of the replies, in the same order
     * @throws QmpException for the first one refused
     */
    public List<JsonNode> execute(List<Command> commands, Duration limit) throws QmpException {
        Duration most = replies.isOverdue() && limit.compareTo(OVERDUE_LIMIT) > 0
                ? OVERDUE_LIMIT : limit;
        long deadline = System.nanoTime() + most.toNanos();
        Map<Long, CompletableFuture<JsonNode>> asked = new LinkedHashMap<>();
        StringBuilder lines = new StringBuilder();
        for (Command command : commands) {
            long id = nextId.getAndIncrement();
            asked.put(id, new CompletableFuture<>());
            lines.append(command.message(id)).append('\n');
        }
        replies.await(asked);
        Iterator<CompletableFuture<JsonNode>> waiting = asked.values().iterator();
        try {
            connection.send(lines.toString(), deadline);
            List<JsonNode> results = new ArrayList<>(commands.size());
            for (Command command : commands) {
                results.add(result(command.name(),
                        await(command, waiting.next(), deadline, most)));
            }
            return results;
        } finally {
            replies.forget(asked.keySet());
        }
    }

    /**
     * Sends commands and awaits nothing: QEMU obeys them in this order, and it stays unknown
     * whether it refused one. A command executed later is answered when they are done.
     *
     * @param commands 1 or more
     * @throws QmpException when the connection is gone
     */
    public void tell(List<Command> commands) throws QmpException {
        StringBuilder lines = new StringBuilder();
        for (Command command : commands) {
            // A reply to a number that is not waited for is dropped.
            lines.append(command.message(nextId.getAndIncrement())).append('\n');
        }
        connection.send(lines.toString(), System.nanoTime() + COMMAND_LIMIT.toNanos());
    }

    private JsonNode await(Command command, CompletableFuture<JsonNode> reply, long deadline,
            Duration limit) throws QmpException {
        // An end of the connection before the entry was there did not complete it.
        if (!reply.isDone()) {
            connection.check();
        }
        try {
            return await(reply, deadline);
        } catch (TimeoutException e) {
            replies.missed();
            throw QmpException.of(Kind.TIMEOUT, "QEMU did not answer " + command.name()
                    + " within " + limit.toMillis() + " ms");
        }
    }

    static JsonNode result(String command, JsonNode reply) throws QmpException {
        JsonNode error = reply.path("error");
        if (error.isMissingNode()) {
            return reply.path("return");
        }
        throw QmpException.refused(command, error.path("class").asText(),
                error.path("desc").asText());
    }

    private static JsonNode await(CompletableFuture<JsonNode> future, long deadline)
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
                        throw reason.again();
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
        return replies.pollEvent();
    }

    /** How many events were lost because they were not polled in time. */
    public long droppedEvents() {
        return replies.droppedEvents();
    }

    /** From the greeting. */
    public Version version() {
        return version;
    }

    /** False once the connection ended, by either side. */
    public boolean isOpen() {
        return connection.isOpen();
    }

    /** Ends the connection; commands that wait fail with CLOSED. Does not end QEMU. */
    @Override
    public void close() {
        connection.close(connection.closed("closed by this side"));
    }
}
