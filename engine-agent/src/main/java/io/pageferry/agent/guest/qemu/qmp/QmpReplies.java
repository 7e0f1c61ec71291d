package io.pageferry.agent.guest.qemu.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.guest.qemu.qmp.QmpClient.Event;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** What a monitor said: the greeting, the replies that are waited for, and events. Any thread. */
final class QmpReplies implements QmpTransport.Handler {
    private final String name;
    private final CompletableFuture<JsonNode> greeting = new CompletableFuture<>();
    private final Map<Long, CompletableFuture<JsonNode>> pending = new ConcurrentHashMap<>();
    private final ArrayBlockingQueue<Event> events =
            new ArrayBlockingQueue<>(QmpClient.EVENT_CAPACITY);
    private final AtomicLong droppedEvents = new AtomicLong();
    private volatile boolean overdue;

    /** Makes one that nothing came to; the name is for messages alone. */
    QmpReplies(String name) {
        this.name = name;
    }

    CompletableFuture<JsonNode> greeting() {
        return greeting;
    }

    /** Waits for replies with these numbers. */
    void await(Map<Long, CompletableFuture<JsonNode>> replies) {
        pending.putAll(replies);
    }

    /** Drops replies with these numbers, should they come still. */
    void forget(Set<Long> replies) {
        pending.keySet().removeAll(replies);
    }

    /** Notes that a reply did not come in time. */
    void missed() {
        overdue = true;
    }

    /** Returns whether no reply came, whichever, since one was missed. */
    boolean isOverdue() {
        return overdue;
    }

    Event pollEvent() {
        return events.poll();
    }

    long droppedEvents() {
        return droppedEvents.get();
    }

    @Override
    public void message(JsonNode message) throws QmpException {
        if (message.has("event")) {
            keep(message);
        } else if (message.has("QMP")) {
            greeting.complete(message.path("QMP"));
        } else if (message.has("return") || message.has("error")) {
            reply(message);
        } else if (!message.isMissingNode()) {
            throw QmpException.of(Kind.PROTOCOL, name + " does not speak QMP: what came"
                    + " is no greeting, no reply and no event");
        }
    }

    @Override
    public void ended(QmpException reason) {
        greeting.completeExceptionally(reason);
        pending.values().forEach(reply -> reply.completeExceptionally(reason));
    }

    private void reply(JsonNode message) {
        overdue = false;
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
