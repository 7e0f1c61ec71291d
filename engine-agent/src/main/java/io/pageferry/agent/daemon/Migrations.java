package io.pageferry.agent.daemon;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.metrics.DaemonMetrics;
import io.pageferry.agent.daemon.queue.BandwidthShares;
import io.pageferry.agent.daemon.queue.MoveQueue;
import io.pageferry.agent.daemon.store.EventLog;
import io.pageferry.agent.daemon.store.History;
import io.pageferry.agent.daemon.store.Submissions;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.room.HostMemory;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.core.dirty.MemoryMap;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Outcome;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * All migrations of this host, both sides: those that wait, that move, and that ended. Safe for
 * any thread; a move's own thread comes here at its beginning and its end alone.
 */
public final class Migrations {
    /** Each has its words in memory; more than that is a mistake of who asks. */
    private static final int MOST_WAITING = 1_000;

    /** Of those that ended, so many are answered from memory; the others from the history. */
    private static final int MOST_ENDED = 100;

    private final Parts parts;
    private final MoveQueue queue;
    private final Map<UUID, OutgoingMove> waiting = new LinkedHashMap<>();
    private final Map<UUID, OutgoingMove> moving = new LinkedHashMap<>();
    private final Map<Name, Migration> known = new LinkedHashMap<>();
    private final Map<Name, Migration> ended = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Name, Migration> eldest) {
            return size() > MOST_ENDED;
        }
    };
    private final Map<Name, Migration> doubts = new LinkedHashMap<>();
    private boolean stopping;

    /**
     * What the registry works with.
     *
     * @param settings of the daemon
     * @param words    reads what callers write
     * @param guests   as callers name them
     * @param events   is told what happens
     * @param history  keeps what ended
     * @param asked    keeps what was asked for
     * @param metrics  counts it
     * @param clock    milliseconds since 1970
     */
    record Parts(DaemonSettings settings, MoveWords words, Guests guests,
            EventLog events, History history, Submissions asked, DaemonMetrics metrics,
            LongSupplier clock) { }

    /** A migration within one host has two sides here. */
    private record Name(UUID id, Side side) { }

    Migrations(Parts parts) {
        this.parts = parts;
        this.queue = new MoveQueue(parts.settings().maxParallel(), parts.settings().bandwidth());
    }

    /**
     * Takes a move on: it begins at once, or waits in the queue.
     *
     * @param request what is wanted
     * @param key     of the call, for one that may be repeated; empty for none
     * @return names the migration; with a key that was there before, by an agent before too, that
     *         of then
     * @throws CallException where it is refused
     */
    public UUID submit(MoveRequest request, Optional<String> key) {
        Optional<UUID> before = repeated(request, key);
        if (before.isPresent()) {
            return before.get();
        }
        request.requireShort();
        // It may read files; nobody waits for that.
        GuestUri uri = parts.guests().find(request.guest());
        MigrateSettings settings = parts.words().settings(request, uri,
                parts.settings().stateDirectory());
        Migration migration = new Migration(UUID.randomUUID(), Side.SOURCE, request,
                parts.events());
        migration.limits(parts.words().limits(request.options()));
        OutgoingMove move = new OutgoingMove(migration, request, uri, settings, this::onEnd);
        synchronized (this) {
            Optional<UUID> meanwhile = repeated(request, key);
            if (meanwhile.isPresent()) {
                return meanwhile.get();
            }
            requireServing();
            keep(request, migration.id(), key);
            known.put(new Name(migration.id(), Side.SOURCE), migration);
            waiting.put(migration.id(), move);
            schedule();
        }
        return migration.id();
    }

    private Optional<UUID> repeated(MoveRequest request, Optional<String> key) {
        Optional<Submissions.Submission> before = key.flatMap(parts.asked()::find);
        if (before.isPresent() && !MoveRequest.of(before.get()).equals(request)) {
            throw new CallException(Why.CONFLICT, "this Idempotency-Key was used for another body,"
                    + " of migration " + before.get().id(), "use a new key for a new move");
        }
        return before.map(Submissions.Submission::id);
    }

    private void keep(MoveRequest request, UUID id, Optional<String> key) {
        try {
            parts.asked().add(request.kept(id, key.orElse("")));
        } catch (IOException e) {
            throw new CallException(Why.HOST_FAILED, "the move cannot be written down, and is not"
                    + " begun: " + e.getMessage(), "look at the state directory");
        }
    }

    private void requireServing() {
        if (stopping) {
            throw new CallException(Why.STOPPING, "the agent is ending, and takes no new move",
                    "ask again when it runs again");
        }
        if (waiting.size() >= MOST_WAITING) {
            throw new CallException(Why.BUSY, MOST_WAITING + " moves wait already",
                    "ask again when some of them have ended");
        }
    }

    /** Has all begin that may, and tells the others what they wait for. */
    synchronized void schedule() {
        List<OutgoingMove> next = new ArrayList<>(waiting.values());
        int position = 0;
        Optional<MoveQueue.Reason> block = Optional.empty();
        for (OutgoingMove move : next) {
            Optional<MoveQueue.Reason> obstacle = block.isPresent() ? block
                    : queue.obstacle(move.need(), moving.values().stream().map(OutgoingMove::need)
                            .toList(), HostMemory.available().bytes());
            if (obstacle.isEmpty()) {
                waiting.remove(move.migration().id());
                moving.put(move.migration().id(), move);
                move.migration().starts(parts.clock().getAsLong());
                shareBandwidth();
                move.start();
                continue;
            }
            move.migration().waits(new Migration.Wait(++position, obstacle.get().label()));
            if (obstacle.get() != MoveQueue.Reason.SLOT) {
                block = obstacle;
            }
        }
    }

    /** Gives each move its part, as long as it moves. */
    private void shareBandwidth() {
        List<OutgoingMove> all = List.copyOf(moving.values());
        List<Long> shares = BandwidthShares.of(parts.settings().bandwidth(),
                all.stream().map(OutgoingMove::wantedBandwidth).toList());
        for (int i = 0; i < all.size(); i++) {
            all.get(i).share(shares.get(i));
        }
    }

    /** On the thread of the move. */
    private void onEnd(OutgoingMove move, AgentResult result) {
        synchronized (this) {
            moving.remove(move.migration().id());
        }
        conclude(move.migration(), result);
        synchronized (this) {
            shareBandwidth();
            schedule();
        }
    }

    /** Takes on a guest that comes in; its slot's thread tells the migration what happens. */
    Migration arriving(UUID id, MoveRequest request) {
        Migration migration = new Migration(id, Side.TARGET, request, parts.events());
        migration.starts(parts.clock().getAsLong());
        synchronized (this) {
            known.put(new Name(id, Side.TARGET), migration);
        }
        return migration;
    }

    /** Forgets one of which no page came: there was no migration. */
    synchronized void forget(Migration migration) {
        known.remove(new Name(migration.id(), migration.side()));
        migration.settled();
    }

    /** Notes how a migration ended, in memory and in the history. */
    void conclude(Migration migration, AgentResult result) {
        conclude(migration, result, result.report().json());
        parts.metrics().ended(result.report(), migration.ended().orElseThrow().result());
    }

    /** Notes how one stands whose agent was gone; what is known of it stays in its report. */
    void recovered(Migration migration, AgentResult result) {
        ObjectNode report = result.report().json();
        ObjectNode before = migration.ended().map(Migration.Ended::report).or(() -> parts.history()
                .find(migration.id(), migration.side().label())
                .map(kept -> kept.path("report")).filter(ObjectNode.class::isInstance)
                .map(ObjectNode.class::cast)).orElse(report).deepCopy();
        before.remove("error");
        before.setAll(report);
        conclude(migration, result, before);
    }

    private void conclude(Migration migration, AgentResult result, ObjectNode report) {
        if (!report.has("migrationId")) {
            report.put("migrationId", migration.id().toString());
        }
        migration.ends(new Migration.Ended(report.path("result").asText(),
                result.outcome().result().exitCode(), report, parts.clock().getAsLong()));
        write(migration);
        Name name = new Name(migration.id(), migration.side());
        synchronized (this) {
            known.remove(name);
            ended.put(name, migration);
            if (result.outcome().result() == Result.IN_DOUBT) {
                doubts.put(name, migration);
            } else {
                doubts.remove(name);
            }
        }
        migration.settled();
    }

    private void write(Migration migration) {
        try {
            ObjectNode kept = migration.json();
            kept.set("log", migration.log());
            parts.history().write(migration.id(), migration.side().label(),
                    migration.ended().orElseThrow().millis(), kept);
            if (migration.side() == Side.SOURCE) {
                parts.asked().end(migration.id());
            }
        } catch (IOException e) {
            migration.on(MigrationEvent.warn("the history cannot be written: " + e.getMessage()));
        }
    }

    /** Finds a migration that is in memory; the source's word first. */
    public synchronized Optional<Migration> find(UUID id, Optional<Side> side) {
        return List.of(Side.SOURCE, Side.TARGET).stream()
                .filter(one -> side.isEmpty() || side.get() == one)
                .map(one -> new Name(id, one))
                .flatMap(name -> Stream.of(known, doubts, ended).map(all -> all.get(name)))
                .filter(Objects::nonNull).findFirst();
    }

    /** {@return those that wait, in their order, and those that are under way} */
    public synchronized List<Migration> live() {
        return List.copyOf(known.values());
    }

    /** {@return those that ended and are in memory} */
    public synchronized List<Migration> past() {
        return List.copyOf(ended.values());
    }

    /** {@return those of which nobody knows who has the guest} */
    public synchronized List<Migration> inDoubt() {
        return List.copyOf(doubts.values());
    }

    /** {@return how many wait} */
    public synchronized int queueLength() {
        return waiting.size();
    }

    /** {@return those under way at this side as a source, whose duty cycles have to turn} */
    synchronized List<OutgoingMove> moves() {
        return List.copyOf(moving.values());
    }

    /**
     * Cancels a move out of this host.
     *
     * @param migration waits or is under way
     * @return whether it was one
     */
    boolean cancel(Migration migration) {
        OutgoingMove queued;
        OutgoingMove underWay;
        synchronized (this) {
            queued = waiting.remove(migration.id());
            underWay = moving.get(migration.id());
        }
        if (queued != null) {
            Outcome outcome = Outcome.of(Result.CANCELLED, ErrorCode.CANCELLED,
                    "cancelled before it began", Side.SOURCE);
            conclude(migration, new AgentResult(outcome,
                    Report.ofNothing(Side.SOURCE, outcome)));
            schedule();
            return true;
        }
        if (underWay != null) {
            underWay.cancel();
        }
        return underWay != null;
    }

    /**
     * Shows where the memory of a guest is that moves out of this host.
     *
     * @param migration of any state
     * @return the map; empty where it is not under way, or none was made yet
     */
    public synchronized Optional<MemoryMap> map(Migration migration) {
        return migration.side() == Side.SOURCE
                ? Optional.ofNullable(moving.get(migration.id())).flatMap(OutgoingMove::map)
                : Optional.empty();
    }

    /**
     * Changes the limits of a move out of this host.
     *
     * @param migration waits or is under way
     * @param changed   new words of options; null for none
     * @throws CallException where a word makes no sense, or it has ended
     */
    public void limit(Migration migration, Map<String, String> changed) {
        for (boolean done = false; !done;) {
            Limited before = limited(migration);
            MoveRequest request = before.request().with(changed);
            // Not under the lock: it asks for the address of the target's name.
            done = limit(before, request, parts.words().settings(request, before.move().uri(),
                    parts.settings().stateDirectory()));
        }
    }

    private record Limited(OutgoingMove move, MoveRequest request) { }

    private synchronized Limited limited(Migration migration) {
        OutgoingMove move = waiting.getOrDefault(migration.id(), moving.get(migration.id()));
        if (move == null || migration.side() != Side.SOURCE) {
            throw new CallException(Why.CONFLICT, migration.side() == Side.SOURCE
                    ? "migration " + migration.id() + " has ended"
                    : "the limits of a migration are its source's",
                    "ask the agent of the source while it moves");
        }
        return new Limited(move, move.request());
    }

    /** Returns false where others changed it meanwhile. */
    private synchronized boolean limit(Limited before, MoveRequest request,
            MigrateSettings settings) {
        Migration migration = before.move().migration();
        if (!limited(migration).equals(before)) {
            return false;
        }
        try {
            before.move().limit(request, settings);
        } catch (IllegalArgumentException e) {
            throw new CallException(Why.CONFLICT, e.getMessage(), "the limits stay as they were");
        }
        shareBandwidth();
        migration.limits(parts.words().limits(request.options()));
        return true;
    }

    /** Takes no new move from now on, and cancels those that wait. */
    void stop() {
        List<Migration> queued;
        synchronized (this) {
            stopping = true;
            queued = waiting.values().stream().map(OutgoingMove::migration).toList();
        }
        queued.forEach(this::cancel);
    }

    /** {@return whether no new move is taken} */
    public synchronized boolean isStopping() {
        return stopping;
    }
}
