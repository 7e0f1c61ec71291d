package io.pageferry.agent.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.daemon.store.EventLog;
import io.pageferry.agent.report.EventJson;
import io.pageferry.agent.report.Output;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationEvent.Logged;
import io.pageferry.core.migration.MigrationEvent.RoundEnded;
import io.pageferry.core.migration.MigrationEvent.StateEntered;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.MigrationSnapshot;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.words.Labelled;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * One migration, as this side sees it: what its own thread tells, for any other thread to read.
 * That thread never waits for one that reads.
 */
public final class Migration implements MigrationListener {
    /** Lines that are kept; of a migration that says more, the first ones go. */
    private static final int MOST_LINES = 500;

    /** Likewise of rounds. */
    private static final int MOST_ROUNDS = 1000;

    private static final String QUEUED = "queued";
    private static final double MILLI = 1e6;

    private final UUID id;
    private final Side side;
    private final String guest;
    private final String to;
    private final String slot;
    private final EventLog events;
    private final Deque<ObjectNode> lines = new ArrayDeque<>();
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private volatile String state = QUEUED;
    private volatile MigrationSnapshot snapshot;
    private volatile Map<String, String> limits = Map.of();
    private volatile long startedMillis;
    private volatile Wait wait;
    private volatile Ended ended;
    private final Deque<ObjectNode> rounds = new ArrayDeque<>();

    /** Where a migration stands for the daemon. */
    public enum Phase implements Labelled {
        /** It waits until it may begin. */
        QUEUED,
        /** It is under way. */
        RUNNING,
        /** It has ended. */
        ENDED
    }

    /**
     * Where a migration waits.
     *
     * @param position in the queue, from 1
     * @param reason   what it waits for
     */
    record Wait(int position, String reason) { }

    /**
     * How a migration ended.
     *
     * @param result   as in the report
     * @param exitCode as of the command
     * @param report   never changed
     * @param millis   since 1970
     */
    record Ended(String result, int exitCode, ObjectNode report, long millis) { }

    Migration(UUID id, Side side, MoveRequest request, EventLog events) {
        this.id = id;
        this.side = side;
        this.guest = request.guest();
        this.to = request.to();
        this.slot = request.slot();
        this.events = events;
    }

    /** {@return its name} */
    public UUID id() {
        return id;
    }

    /** {@return whether this is the source's word or the target's} */
    public Side side() {
        return side;
    }

    /** {@return where it stands} */
    public Phase phase() {
        return ended != null ? Phase.ENDED : startedMillis == 0 ? Phase.QUEUED : Phase.RUNNING;
    }

    /** {@return the state, in lower case, as docs/PROTOCOL.md names it, or queued} */
    public String state() {
        return state;
    }

    /** {@return where it is; empty before its first duty cycle} */
    public Optional<MigrationSnapshot> snapshot() {
        return Optional.ofNullable(snapshot);
    }

    /** {@return a copy that is completed when it has ended and is in the history} */
    public CompletableFuture<Void> whenEnded() {
        return end.copy();
    }

    String guest() {
        return guest;
    }

    Optional<Ended> ended() {
        return Optional.ofNullable(ended);
    }

    @Override
    public void on(MigrationEvent event) {
        ObjectNode data = EventJson.of(event);
        switch (event) {
            case StateEntered entered -> {
                if (entered.state().equals(state)) {
                    return;
                }
                state = entered.state();
            }
            case RoundEnded round -> keep(rounds, MOST_ROUNDS, data.deepCopy());
            case Logged logged -> keep(lines, MOST_LINES, data.deepCopy());
        }
        publish(data);
    }

    @Override
    public void onCycle(MigrationSnapshot now) {
        snapshot = now;
    }

    private static void keep(Deque<ObjectNode> kept, int most, ObjectNode data) {
        data.remove("event");
        synchronized (kept) {
            if (kept.size() == most) {
                kept.remove();
            }
            kept.add(data);
        }
    }

    private void publish(ObjectNode data) {
        events.publish(data.path("event").asText(), id.toString(), data.put("side",
                side.label()));
    }

    /** Shows where it waits; says so once for each change of the reason. */
    void waits(Wait now) {
        Wait before = wait;
        wait = now;
        if (before == null || !before.reason().equals(now.reason())) {
            publish(Output.event(QUEUED).put("position", now.position())
                    .put("reason", now.reason()));
        }
    }

    /** Shows that it begins. */
    void starts(long millis) {
        wait = null;
        state = "opening";
        startedMillis = millis;
    }

    /** Shows other limits; says so where they changed. */
    void limits(Map<String, String> words) {
        boolean changed = !limits.isEmpty() && !limits.equals(words);
        limits = words;
        if (changed) {
            ObjectNode data = Output.event("limits");
            words.forEach(data::put);
            publish(data);
        }
    }

    /** Shows how it ended; {@link #settled} has others hear of it. */
    void ends(Ended how) {
        state = "ended";
        wait = null;
        ended = how;
        publish(how.report().deepCopy());
    }

    /** Tells those who wait for the end. */
    void settled() {
        end.complete(null);
    }

    /** {@return the migration as the API shows it, made anew} */
    public ObjectNode json() {
        Ended how = ended;
        MigrationSnapshot now = snapshot;
        ObjectNode json = Output.object().put("id", id.toString()).put("slot", slot)
                .put("guest", guest).put("to", to).put("side", side.label()).put("state", state)
                .put("phase", phase().label());
        Wait waiting = wait;
        if (waiting == null) {
            json.putNull("queue");
        } else {
            json.putObject("queue").put("position", waiting.position())
                    .put("reason", waiting.reason());
        }
        progress(json, now);
        ObjectNode bounds = json.putObject("limits");
        limits.forEach(bounds::put);
        nullable(json, "startedAt", startedMillis);
        nullable(json, "endedAt", how == null ? 0 : how.millis());
        JsonNode report = how == null ? Output.object() : how.report();
        json.set("totalMs", orNull(report.path("totalMs")));
        json.set("downtimeMs", orNull(report.path("downtimeMs")));
        json.set("slowdownPercent", orNull(report.at("/guestSlowdown/percent")));
        if (how == null) {
            return json.putNull("result").putNull("exitCode").putNull("report");
        }
        json.put("result", how.result()).put("exitCode", how.exitCode());
        return json.set("report", how.report().deepCopy());
    }

    private static void progress(ObjectNode json, MigrationSnapshot now) {
        boolean known = now != null;
        json.put("epoch", known ? now.epoch() : 0)
                .put("round", known ? now.round() : -1)
                .put("dirtyPages", known ? now.dirtyPages() : 0)
                .put("leftPages", known ? now.leftPages() : 0)
                .put("wireBytes", known ? now.wireBytes() : 0)
                .put("wireBytesPerSecond", known ? Math.round(now.wireBytesPerSecond()) : 0)
                .put("dirtyBytesPerSecond", known ? Math.round(now.dirtyBytesPerSecond()) : 0)
                .put("throttlePercent", known ? now.throttlePercent() : 0)
                .putObject("predictedDowntimeMs")
                .put("p50", known ? now.predictedMedianNanos() / MILLI : 0)
                .put("p95", known ? now.predictedNanos() / MILLI : 0);
    }

    private static JsonNode orNull(JsonNode figure) {
        return figure.isMissingNode() ? NullNode.getInstance() : figure;
    }

    private static void nullable(ObjectNode json, String name, long millis) {
        json.put(name, millis == 0 ? null : (Long) millis);
    }

    /** {@return its last lines, as objects of level and message} */
    public ArrayNode log() {
        return copy(lines);
    }

    /** {@return its last rounds, as the report shows them} */
    public ArrayNode rounds() {
        return copy(rounds);
    }

    private static ArrayNode copy(Deque<ObjectNode> kept) {
        ArrayNode all = Output.object().arrayNode();
        synchronized (kept) {
            kept.forEach(one -> all.add(one.deepCopy()));
        }
        return all;
    }
}
