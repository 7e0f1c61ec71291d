package io.pageferry.agent;

import io.pageferry.agent.guard.AgentGuard;
import io.pageferry.agent.guard.GuardException;
import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.StreamRoad;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.journal.FileJournal;
import io.pageferry.agent.journal.HeldLock;
import io.pageferry.agent.journal.JournalHeader;
import io.pageferry.agent.journal.StateDirectory;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.road.Door;
import io.pageferry.agent.session.Duty;
import io.pageferry.agent.settle.StatusDesk;
import io.pageferry.core.handover.Journal;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkAcceptor;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationListener.Level;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.target.TargetFigures;
import io.pageferry.core.target.TargetMigration;
import io.pageferry.core.target.TargetParts;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.NettyTargetLink;
import io.pageferry.transport.netty.TransportOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.agrona.CloseHelper;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Takes guests in: listens, runs one migration at a time on the calling thread, answers STATUS
 * from the journals meanwhile and afterwards.
 */
public final class TargetAgent {
    private final ReceiveSettings settings;
    private final MigrationListener listener;
    private final Consumer<InetSocketAddress> listening;
    private final Consumer<AgentResult> finished;
    private final TransportOptions transport = TransportOptions.defaults(SystemNanoClock.INSTANCE);
    private final AgentGuard guard;
    private final Newcomers newcomers = new Newcomers(this);
    private StateDirectory directory;
    private StatusDesk desk;
    private TargetGuest guest;
    private HeldLock lock;
    private FileJournal journal;
    private TargetMigration migration;
    private Newcomer offered;
    private long startup;
    private boolean farewell;
    private boolean served;
    private volatile boolean cancelled;

    /**
     * Makes an agent.
     *
     * @param settings  what to do
     * @param listener  hears how migrations go
     * @param listening told once where it listens
     * @param finished  told the result of each migration that got past negotiation, but for the
     *                  last with {@code --once}, which {@link #run} returns
     */
    public TargetAgent(ReceiveSettings settings, MigrationListener listener,
            Consumer<InetSocketAddress> listening, Consumer<AgentResult> finished) {
        this.settings = settings;
        this.listener = listener;
        this.guard = new AgentGuard(Side.TARGET, listener);
        this.listening = listening;
        this.finished = finished;
    }

    /**
     * Serves: with {@code --once} until one migration that got past negotiation ended, else until
     * it is cancelled.
     *
     * @return how it ended
     * @throws IllegalArgumentException when the guest's URI makes no sense
     */
    public AgentResult run() {
        AgentResult result = null;
        try {
            result = opened();
        } finally {
            closeAll(result == null);
        }
        return result;
    }

    private AgentResult opened() {
        try {
            directory = StateDirectory.open(settings.stateDirectory());
            settings.guest().rehearse(transport);
            SourceAgent.sayMissingFlag(listener);
            desk = new StatusDesk(directory, line -> listener.log(Level.WARN, line));
            guest = open();
            lock = directory.lockGuest(guest.identity()).orElse(null);
            if (lock == null) {
                return nothing(Result.REFUSED, ErrorCode.BUSY, "somebody receives into this guest "
                        + "already", "wait for it: pageferry status");
            }
            return listen();
        } catch (GuestException refused) {
            return nothing(Result.REFUSED, refused.code(), refused.getMessage(),
                    refused.remedy());
        } catch (TransportException port) {
            return nothing(Result.REFUSED, port.code(), port.getMessage(),
                    "choose another --listen");
        } catch (IOException io) {
            return nothing(Result.REFUSED, ErrorCode.HOST_FAILED, io.getMessage(),
                    "look at --state-dir");
        }
    }

    /** Asks for the end; from any thread. */
    public void cancel() {
        cancelled = true;
    }

    private TargetGuest open() throws GuestException {
        return settings.guest().open(new GuestSetup("auto", settings.prealloc(), guard));
    }

    private AgentResult listen() throws IOException {
        if (!guest.reach().isEmpty()) {
            guard.prepare();
        }
        try (Door.Open door = settings.listen().open(
                line -> listener.log(Level.INFO, "refused " + line))) {
            startup = settings.guest().startupNanos();
            door.address().ifPresent(listening);
            return serve(door);
        }
    }

    private AgentResult serve(LinkAcceptor door) throws IOException {
        IdleStrategy idle = Duty.idle();
        while (true) {
            int work = newcomers.welcome(door);
            keepGuard();
            if (migration != null) {
                if (cancelled) {
                    migration.cancel();
                }
                work += migration.doWork();
                if (migration.isDone()) {
                    Optional<AgentResult> last = ended(door);
                    if (last.isPresent()) {
                        return last.get();
                    }
                }
            } else if (cancelled) {
                return nothing(Result.CANCELLED, ErrorCode.CANCELLED, served
                        ? "the guest that came stays; no other did" : "no guest came", "");
            }
            idle.idle(work);
        }
    }

    /**
     * A guest that is loaded when its agent dies is ended by its guard, so there is always one;
     * where there can be none, nothing is loaded.
     */
    private void keepGuard() {
        if (journal == null || !guard.isLost()) {
            return;
        }
        listener.log(Level.WARN, "the guard process ended; another one is started");
        try {
            watch();
        } catch (IOException none) {
            listener.log(Level.WARN, none.getMessage());
            guard.dismiss();
            if (migration != null) {
                migration.cancel();
            }
        }
    }

    private void watch() throws IOException {
        try {
            guard.watch(directory, journal.header().migration(), guest.identity());
        } catch (GuardException none) {
            throw new IOException(none.line(), none);
        }
    }

    void onHello(Newcomer newcomer, Message.Hello hello) {
        if (migration != null || served || guest == null || guest.livesInAgent()) {
            newcomer.link().send(new Message.Failure(ErrorCode.BUSY,
                    "this target has a guest already or is taking one in"));
            newcomer.leave();
            return;
        }
        offered = newcomer;
        farewell = false;
        if (newcomer.link() instanceof NettyTargetLink netty) {
            guest.streamsOver(new StreamRoad(netty::sendStreamed, netty::streamsTo,
                    netty::isUp, netty::silentNanos));
        }
        migration = new TargetMigration(new TargetParts(newcomer.link(), guest, this::journal,
                UUID.randomUUID(), SystemNanoClock.INSTANCE, listener, settings.options()));
        newcomer.takenBy(migration);
        migration.onMessage(hello);
    }

    void onResume(Newcomer newcomer, Message.Resume resume) {
        Optional<Message> answer = migration == null ? Optional.of(desk.answer(resume))
                : migration.resume(newcomer.link(), resume);
        if (answer.isEmpty()) {
            // The migration closed the old one.
            offered = newcomer;
            newcomer.takenBy(migration);
            return;
        }
        newcomer.link().send(answer.get());
        if (!(answer.get() instanceof Message.Refused)) {
            newcomer.leave();
        }
    }

    Message onStatus(Message.Status status) {
        return desk.answer(status);
    }

    void onFarewell(Message.Farewell word) {
        farewell = true;
    }

    private Journal journal(UUID id) throws IOException {
        Map<String, String> reach = new HashMap<>(guest.reach());
        boolean outlives = !reach.isEmpty();
        if (outlives) {
            reach.put(JournalHeader.IDENTITY, guest.identity());
        }
        journal = directory.create(new JournalHeader(JournalHeader.SCHEMA, id, Side.TARGET,
                settings.guest().text(), "", System.currentTimeMillis(), reach));
        if (outlives) {
            watch();
        }
        return journal;
    }

    /** A migration ended: reports it; returns the result where the agent ends with it. */
    private Optional<AgentResult> ended(LinkAcceptor door) throws IOException {
        TargetMigration done = migration;
        Outcome outcome = done.outcome().orElseThrow();
        boolean counts = outcome.result() != Result.REFUSED;
        long unheard = unheardNanos(outcome, done.figures());
        offered.link().close();
        offered = null;
        migration = null;
        closeJournal();
        boolean completed = outcome.result() == Result.COMPLETED;
        boolean here = completed || outcome.result() == Result.FAILED_AT_TARGET;
        boolean activating = completed && settings.activate() != null;
        served = counts && settings.once() || here;
        if (activating) {
            outcome = activated(door);
        }
        if (counts && settings.once()) {
            stayFor(door, unheard, () -> farewell);
        }
        if (completed && guest.livesInAgent()) {
            stayFor(door, settings.once() ? settings.lingerNanos() : Long.MAX_VALUE,
                    () -> false);
        }
        Optional<GuestCheck> check = guest.check();
        AgentResult result = counts ? new AgentResult(outcome, Report.ofTarget(begin(done),
                outcome, done.figures(), check)) : null;
        done.close();
        if (counts && (settings.once() || cancelled
                || activating && outcome.result() != Result.COMPLETED)) {
            return Optional.of(result);
        }
        if (!here && !reopened(counts)) {
            stayFor(door, unheard, () -> farewell);
            return Optional.of(result);
        }
        if (counts) {
            finished.accept(result);
        } else {
            listener.log(Level.WARN, "refused a migration: " + outcome.reason());
        }
        return Optional.empty();
    }

    /** For how long the source may come back for a last word that it has not heard. */
    private long unheardNanos(Outcome outcome, TargetFigures done) {
        if (outcome.result() == Result.COMPLETED) {
            return done.totalNanos() == 0 ? settings.options().lastWordNanos() : 0;
        }
        if (journal == null || done.isHeard()) {
            return 0;
        }
        return switch (journal.decision().map(JournalRecord::state).orElse(null)) {
            case REFUSED -> settings.options().reconnectNanos();
            // Its source was granted, and asks for a settle window.
            case RETURNED -> settings.options().lastWordNanos();
            case null, default -> 0;
        };
    }

    /** Answers meanwhile: a source that never heard farewell may ask what became of the guest. */
    private void stayFor(LinkAcceptor door, long nanos, BooleanSupplier over) {
        long start = SystemNanoClock.INSTANCE.nanoTime();
        IdleStrategy idle = Duty.idle();
        while (!over.getAsBoolean() && !cancelled
                && SystemNanoClock.INSTANCE.nanoTime() - start < nanos) {
            idle.idle(newcomers.welcome(door));
        }
    }

    private Outcome activated(LinkAcceptor door) {
        listener.log(Level.INFO, "the guest is here; --activate runs: " + settings.activate());
        IdleStrategy idle = Duty.idle();
        try {
            while (!guest.activated(settings.activate(), cancelled)) {
                idle.idle(newcomers.welcome(door));
            }
            return Outcome.completed();
        } catch (GuestException failed) {
            return Outcome.of(Result.FAILED_AT_TARGET, failed.code(), failed.getMessage(),
                    Side.TARGET).withRemedy(failed.remedy());
        }
    }

    /**
     * Gets ready for the next migration. Where one came to nothing and took its place with it, such
     * as its QEMU, there is no next one; but its source may yet ask.
     */
    private boolean reopened(boolean counts) throws GuestException {
        guest.close();
        try {
            guest = open();
            return true;
        } catch (GuestException gone) {
            if (!counts) {
                throw gone;
            }
            listener.log(Level.WARN, "no other guest can be received: " + gone.getMessage());
            served = true;
            return false;
        }
    }

    private Report.Begin begin(TargetMigration done) {
        return new Report.Begin(done.figures().migrationId().orElseThrow(),
                done.figures().guest().orElseThrow(),
                new Report.Choices(null, null, 1, null,
                        settings.listen().transport(),
                        List.of("none", "sent", "full").get(done.figures().verification())),
                startup);
    }

    private void closeJournal() throws IOException {
        if (journal == null) {
            return;
        }
        boolean another = guard.isThere() && !settings.once();
        guard.dismiss();
        journal.close();
        journal = null;
        if (another) {
            guard.prepare();
        }
    }

    private void closeAll(boolean broken) {
        AutoCloseable last = broken ? guard::abandon : null;
        CloseHelper.closeAll(newcomers, migration, guest, broken ? null : guard, journal, lock,
                last);
    }

    private static AgentResult nothing(Result result, ErrorCode code, String reason,
            String remedy) {
        return AgentResult.ofNothing("target",
                Outcome.of(result, code, reason, Side.TARGET).withRemedy(remedy));
    }
}
