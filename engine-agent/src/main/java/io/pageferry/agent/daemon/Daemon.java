package io.pageferry.agent.daemon;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.metrics.DaemonMetrics;
import io.pageferry.agent.daemon.store.AddressBook;
import io.pageferry.agent.daemon.store.EventLog;
import io.pageferry.agent.daemon.store.History;
import io.pageferry.agent.daemon.store.KeptSlots;
import io.pageferry.agent.daemon.store.Submissions;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.report.EventJson;
import io.pageferry.agent.session.TargetHost;
import io.pageferry.agent.state.guard.GuardService;
import io.pageferry.agent.state.journal.HeldLock;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.session.SourceState;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BooleanSupplier;
import org.agrona.CloseHelper;

/**
 * All that one agent does on a host: its registry, its slots, and what it found when it started.
 * Safe for any thread.
 */
public final class Daemon implements AutoCloseable {
    private static final String LOCK = "agent.lock";
    private static final long POLL_MILLIS = 50;

    /** From here on a source's move ends by itself, and soon. */
    private static final Set<String> SWITCHING = Set.of(SourceState.SWITCHOVER.label(),
            SourceState.GRANTED.label(), SourceState.OWNED.label(), SourceState.DONE.label(),
            "ready", "refused", "active", "returned", "running");

    private static final long ASK_AGAIN_NANOS = 2_000_000_000L;

    private final HeldLock lock;
    private final Opened opened;
    private Thread asking;
    /**
     * Who asks again for all has it for writing, for as long as another host may take to answer;
     * a caller's word waits for that, and then comes first.
     */
    private final ReadWriteLock settling = new ReentrantReadWriteLock(true);
    private long asked = System.nanoTime();
    private final Map<UUID, Long> turns = new HashMap<>();

    /** What is open, in order. */
    private record Opened(EventLog events, History history, Submissions asked, Guests guests,
            DaemonMetrics metrics, Migrations migrations, Settlements settlements, Slots slots,
            TargetHost host, GuardService.Look guards, PeerTrust peers) { }

    private Daemon(HeldLock lock, Opened opened) {
        this.lock = lock;
        this.opened = opened;
    }

    /**
     * Starts: settles what an agent before left here, and listens. Waits for that.
     *
     * @param wanted what is
     * @param words reads what callers write
     * @return the daemon, ready
     * @throws IOException with one line, where the state directory is another agent's or cannot
     *                     be used, or nothing can listen
     */
    public static Daemon open(DaemonSettings wanted, MoveWords words) throws IOException {
        StateDirectory directory = StateDirectory.open(wanted.stateDirectory());
        HeldLock lock = HeldLock.tryLock(directory.path().resolve(LOCK)).orElseThrow(() ->
                new GuestException(ErrorCode.BUSY, "another agent runs with the state directory "
                        + directory.path(), "use that one, or another --state-dir"));
        TargetHost host = null;
        Submissions asked = null;
        try {
            DaemonSettings settings = wanted.in(directory.path());
            EventLog events = new EventLog(System::currentTimeMillis);
            History history = History.open(directory.path(), settings.history(),
                    System::currentTimeMillis);
            Guests guests = new Guests(new AddressBook(settings.guests()));
            asked = Submissions.open(directory.path());
            KeptSlots kept = KeptSlots.open(directory.path());
            DaemonMetrics metrics = new DaemonMetrics();
            Migrations migrations = new Migrations(new Migrations.Parts(settings, words,
                    guests, events, history, asked, metrics,
                    System::currentTimeMillis));
            Settlements settlements = new Settlements(directory, settings.settleNanos(),
                    words::connector, events, asked);
            long since = System.currentTimeMillis() - settings.history().age().toMillis();
            recover(settlements.all(Side.TARGET, since, history::isDecided), migrations);
            host = TargetHost.open(settings.listen(), directory.path(),
                    new Said(events));
            recover(settlements.all(Side.SOURCE, since, history::isDecided), migrations);
            // What is in no journal waited for its turn, or was being opened.
            asked.notEnded().stream().filter(one -> !history.isDecided(one.id(), Side.SOURCE))
                    .filter(one -> migrations.find(one.id(), Optional.of(Side.SOURCE)).isEmpty())
                    .map(settlements::notBegun)
                    .forEach(one -> migrations.recovered(one.migration(), one.result()));
            Slots slots = new Slots(new Slots.Parts(guests, migrations,
                    settings, host, kept, new Said(events)));
            slots.restore();
            Daemon daemon = new Daemon(lock, new Opened(events, history, asked, guests, metrics,
                    migrations, settlements, slots, host, new GuardService.Look(System::nanoTime),
                    settings.peers()));
            daemon.show();
            return daemon;
        } catch (IOException | RuntimeException e) {
            CloseHelper.closeAll(host, asked, lock);
            throw e;
        }
    }

    /** What concerns no migration goes to readers of events as well. */
    private record Said(EventLog events) implements MigrationListener {
        @Override
        public void on(MigrationEvent event) {
            events.publish("log", "", EventJson.of(event));
        }
    }

    private static void recover(List<Settlements.Settled> found, Migrations migrations) {
        found.forEach(one -> migrations.recovered(one.migration(), one.result()));
    }

    private void show() {
        DaemonMetrics metrics = opened.metrics();
        metrics.gauge("pageferry_queue_length", "Moves that wait",
                () -> migrations().queueLength());
        metrics.gauge("pageferry_in_doubt", "Migrations of which nobody knows who has the guest",
                () -> migrations().inDoubt().size());
        metrics.gauge("pageferry_guard_up", "1 where a guard service has the guards, 0 where moves"
                + " start guards of their own", () -> hasGuardService() ? 1 : 0);
        if (opened.peers().tls().isPresent()) {
            metrics.certificate(opened.peers()::certificateExpiry);
        }
        metrics.live(() -> migrations().live().stream().map(Daemon::figures).toList());
    }

    private static DaemonMetrics.Live figures(Migration one) {
        String id = one.id().toString();
        String side = one.side().label();
        return one.snapshot().map(now -> new DaemonMetrics.Live(id, side, one.state(),
                        now.leftPages(), now.wireBytesPerSecond(), now.dirtyBytesPerSecond(),
                        now.throttlePercent()))
                .orElseGet(() -> new DaemonMetrics.Live(id, side, one.state(), 0, 0, 0, 0));
    }

    /** {@return whether a guard service has the guards, as of some seconds ago} */
    public boolean hasGuardService() {
        return opened.guards().isThere();
    }

    /** {@return where guests come in} */
    public SocketAddress address() {
        return opened.host().address();
    }

    /** {@return all migrations} */
    public Migrations migrations() {
        return opened.migrations();
    }

    /** {@return the places for guests} */
    public Slots slots() {
        return opened.slots();
    }

    /** {@return what happens} */
    public EventLog events() {
        return opened.events();
    }

    /** {@return the guests, as callers name them} */
    public Guests guests() {
        return opened.guests();
    }

    /** {@return what is counted} */
    public DaemonMetrics metrics() {
        return opened.metrics();
    }

    /**
     * Finds a migration, in memory or in the history.
     *
     * @param id   names it
     * @param side whose word; empty for the source's where there is one
     * @return the resource, with its log as well where it is from the history
     */
    public Optional<ObjectNode> find(UUID id, Optional<Side> side) {
        return migrations().find(id, side).map(Migration::json).or(() -> List.of(Side.values())
                .stream().filter(one -> side.isEmpty() || side.get() == one)
                .flatMap(one -> opened.history().find(id, one.label()).stream()).findFirst());
    }

    /**
     * Lists migrations that ended.
     *
     * @param most how many
     * @return resources, the newest first, without logs
     */
    public List<ObjectNode> past(int most) {
        List<ObjectNode> all = new ArrayList<>();
        migrations().past().reversed().forEach(one -> all.add(one.json()));
        Set<String> seen = new HashSet<>();
        all.forEach(one -> seen.add(name(one)));
        opened.history().latest(most).stream().filter(one -> seen.add(name(one)))
                .forEach(all::add);
        all.forEach(one -> one.remove("log"));
        all.sort((a, b) -> Long.compare(b.path("endedAt").asLong(), a.path("endedAt").asLong()));
        return all.subList(0, Math.min(most, all.size()));
    }

    private static String name(ObjectNode resource) {
        return resource.path("id").asText() + resource.path("side").asText();
    }

    /**
     * Cancels a migration.
     *
     * @param migration of either side
     * @throws CallException where it has ended
     */
    public void cancel(Migration migration) {
        boolean found = migration.side() == Side.SOURCE ? migrations().cancel(migration)
                : slots().cancel(migration.id());
        if (!found) {
            throw new CallException(Why.CONFLICT, "migration " + migration.id() + " has ended",
                    "GET /v1/migrations/" + migration.id() + " says how");
        }
    }

    /**
     * Settles a migration that is in doubt, on a thread of its own.
     *
     * @param migration in doubt
     * @param word      an operator's; empty to ask the other side again
     * @return is completed with whatever became of it
     */
    public CompletableFuture<Migration> settle(Migration migration, Optional<Owner> word) {
        if (!migrations().inDoubt().contains(migration)) {
            throw new CallException(Why.CONFLICT, "migration " + migration.id()
                    + " is not in doubt", "GET /v1/migrations/" + migration.id()
                    + " says how it stands");
        }
        if (word.isPresent() && migration.side() == Side.TARGET) {
            throw new CallException(Why.CONFLICT, "who owns the guest of migration "
                    + migration.id() + " is for its source to be told",
                    "tell the agent of the source, or ask again without a word");
        }
        CompletableFuture<Migration> end = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("settle-" + migration.id()).start(() -> {
            settling.readLock().lock();
            try {
                if (migrations().inDoubt().contains(migration)) {
                    migrations().recovered(migration, word.isEmpty()
                            ? opened.settlements().ask(migration.id(), migration.side())
                            : opened.settlements().told(migration.id(), word.get()));
                }
                end.complete(migration);
            } catch (IOException | RuntimeException e) {
                end.completeExceptionally(new CallException(Why.HOST_FAILED, e.getMessage(),
                        "look at the state directory"));
            } finally {
                settling.readLock().unlock();
            }
        });
        return end;
    }

    /**
     * Looks whether every duty cycle turned since the last look. One thread.
     *
     * @return whether
     */
    public boolean isTurning() {
        boolean all = true;
        Map<UUID, Long> now = new HashMap<>();
        for (OutgoingMove move : migrations().moves()) {
            UUID id = move.migration().id();
            now.put(id, move.turns());
            all &= !Long.valueOf(move.turns()).equals(turns.get(id));
        }
        turns.clear();
        turns.putAll(now);
        return all;
    }

    /**
     * Has moves begin that waited for what changes by itself, and asks again now and then for what
     * is in doubt: a guard may be at it, or the other host be down. One thread.
     */
    public void tick() {
        migrations().schedule();
        opened.guards().tick();
        long now = System.nanoTime();
        if (now - asked >= ASK_AGAIN_NANOS
                && (asking == null || !asking.isAlive())) {
            asked = now;
            asking = Thread.ofPlatform().daemon().name("settle").start(this::askAgain);
        }
    }

    private void askAgain() {
        settling.writeLock().lock();
        try {
            opened.settlements().again(migrations().inDoubt()).stream().filter(Daemon::isNews)
                    .forEach(one -> migrations().recovered(one.migration(), one.result()));
        } finally {
            settling.writeLock().unlock();
        }
        opened.slots().restoreBusy();
    }

    /** Of what stays in doubt the reason may be another one by now. */
    private static boolean isNews(Settlements.Settled one) {
        return one.result().outcome().result() != Result.IN_DOUBT
                || !one.result().outcome().reason().equals(one.migration().ended()
                        .map(how -> how.report().at("/error/reason").asText()).orElse(""));
    }

    /**
     * Stops: no new move, what waits is cancelled. What is under way ends: a switch-over by itself,
     * all else by a cancel, unless it is waited for. Returns when nothing is under way.
     *
     * @param waits   whether moves go on to their end
     * @param ongoing returns false when there is no more time
     */
    public void stop(boolean waits, BooleanSupplier ongoing) {
        migrations().stop();
        while (!migrations().live().isEmpty() && ongoing.getAsBoolean()) {
            if (!waits) {
                migrations().live().stream()
                        .filter(one -> !SWITCHING.contains(one.state()))
                        .forEach(this::cancelled);
            }
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void cancelled(Migration migration) {
        try {
            cancel(migration);
        } catch (CallException e) {
            // It ended a moment ago.
            return;
        }
    }

    /** Ends all slots with what lives in them, and lets another agent have the directory. */
    @Override
    public void close() {
        CloseHelper.closeAll(opened.slots()::close, opened.host(), opened.asked(), lock);
    }
}
