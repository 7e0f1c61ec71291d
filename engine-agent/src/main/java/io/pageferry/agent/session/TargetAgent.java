package io.pageferry.agent.session;

import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.StreamTransport;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.link.Duty;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.state.guard.AgentGuard;
import io.pageferry.agent.state.guard.GuardException;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.HeldLock;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.agent.state.settle.StatusAnswers;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.handover.Journal;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.incoming.TargetFigures;
import io.pageferry.core.incoming.TargetMigration;
import io.pageferry.core.incoming.TargetParts;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkAcceptor;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.MigrationListener.Level;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Verification;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.NettyTargetLink;
import io.pageferry.transport.netty.TransportOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HashMap;
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
    private final PendingConnections connections = new PendingConnections(this);
    private StateDirectory directory;
    private StatusAnswers answers;
    private TargetGuest guest;
    private HeldLock lock;
    private FileJournal journal;
    private TargetMigration migration;
    private PendingConnection offered;
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
            answers = new StatusAnswers(directory, line -> listener.log(Level.WARN, line));
            guest = open();
            lock = directory.lockGuest(guest.identity()).orElse(null);
            if (lock == null) {
                return nothing(Result.REFUSED, ErrorCode.BUSY, "somebody receives into this guest "
                        + "already", "wait for it: pageferry status");
            }
            return listen();
        } catch (GuestException e) {
            return nothing(Result.REFUSED, e.code(), e.getMessage(),
                    e.remedy());
        } catch (TransportException e) {
            return nothing(Result.REFUSED, e.code(), e.getMessage(),
                    "choose another --listen");
        } catch (IOException e) {
            return nothing(Result.REFUSED, ErrorCode.HOST_FAILED, e.getMessage(),
                    "look at --state-dir");
        }
    }

    /** Asks for the end; from any thread. */
    public void cancel() {
        cancelled = true;
    }

    private TargetGuest open() throws GuestException {
        return settings.guest().open(
                new GuestSetup(TrackerChoice.AUTO, settings.prealloc(), guard));
    }

    private AgentResult listen() throws IOException {
        if (!guest.recoveryAddress().isEmpty()) {
            guard.prepare();
        }
        try (Listener.Open acceptor = settings.listen().open(
                line -> listener.log(Level.INFO, "refused " + line))) {
            startup = settings.guest().startupNanos();
            acceptor.address().ifPresent(listening);
            return serve(acceptor);
        }
    }

    private AgentResult serve(LinkAcceptor acceptor) throws IOException {
        IdleStrategy idle = Duty.idle();
        while (true) {
            int work = connections.welcome(acceptor);
            keepGuard();
            if (migration != null) {
                if (cancelled) {
                    migration.cancel();
                }
                work += migration.doWork();
                if (migration.isDone()) {
                    Optional<AgentResult> last = ended(acceptor);
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
        } catch (IOException e) {
            listener.log(Level.WARN, e.getMessage());
            guard.dismiss();
            if (migration != null) {
                migration.cancel();
            }
        }
    }

    private void watch() throws IOException {
        try {
            guard.watch(directory, journal.header().migration(), guest.identity());
        } catch (GuardException e) {
            throw new IOException(e.line(), e);
        }
    }

    void onHello(PendingConnection connection, Message.Hello hello) {
        if (migration != null || served || guest == null || guest.livesInAgent()) {
            connection.link().send(new Message.Failure(ErrorCode.BUSY,
                    "this target has a guest already or is taking one in"));
            connection.leave();
            return;
        }
        offered = connection;
        farewell = false;
        if (connection.link() instanceof NettyTargetLink netty) {
            guest.streamsOver(new StreamTransport(netty::sendStreamed, netty::streamsTo,
                    netty::isUp, netty::silentNanos));
        }
        migration = new TargetMigration(new TargetParts(connection.link(), guest, this::journal,
                UUID.randomUUID(), SystemNanoClock.INSTANCE, listener, settings.options()));
        connection.takenBy(migration);
        migration.onMessage(hello);
    }

    void onResume(PendingConnection connection, Message.Resume resume) {
        Optional<Message> answer = migration == null ? Optional.of(answers.answer(resume))
                : migration.resume(connection.link(), resume);
        if (answer.isEmpty()) {
            // The migration closed the old one.
            offered = connection;
            connection.takenBy(migration);
            return;
        }
        connection.link().send(answer.get());
        if (!(answer.get() instanceof Message.Refused)) {
            connection.leave();
        }
    }

    Message onStatus(Message.Status status) {
        return answers.answer(status);
    }

    void onFarewell(Message.Farewell word) {
        farewell = true;
    }

    private Journal journal(UUID id) throws IOException {
        Map<String, String> recoveryAddress = new HashMap<>(guest.recoveryAddress());
        boolean outlives = !recoveryAddress.isEmpty();
        if (outlives) {
            recoveryAddress.put(JournalHeader.IDENTITY, guest.identity());
        }
        journal = directory.create(new JournalHeader(JournalHeader.SCHEMA, id, Side.TARGET,
                settings.guest().text(), "", System.currentTimeMillis(), recoveryAddress));
        if (outlives) {
            watch();
        }
        return journal;
    }

    /** A migration ended: reports it; returns the result where the agent ends with it. */
    private Optional<AgentResult> ended(LinkAcceptor acceptor) throws IOException {
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
            outcome = activated(acceptor);
        }
        if (counts && settings.once()) {
            stayFor(acceptor, unheard, () -> farewell);
        }
        if (completed && guest.livesInAgent()) {
            stayFor(acceptor, settings.once() ? settings.lingerNanos() : Long.MAX_VALUE,
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
            stayFor(acceptor, unheard, () -> farewell);
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
    private void stayFor(LinkAcceptor acceptor, long nanos, BooleanSupplier over) {
        long start = SystemNanoClock.INSTANCE.nanoTime();
        IdleStrategy idle = Duty.idle();
        while (!over.getAsBoolean() && !cancelled
                && SystemNanoClock.INSTANCE.nanoTime() - start < nanos) {
            idle.idle(connections.welcome(acceptor));
        }
    }

    private Outcome activated(LinkAcceptor acceptor) {
        listener.log(Level.INFO, "the guest is here; --activate runs: " + settings.activate());
        IdleStrategy idle = Duty.idle();
        try {
            while (!guest.activated(settings.activate(), cancelled)) {
                idle.idle(connections.welcome(acceptor));
            }
            return Outcome.completed();
        } catch (GuestException e) {
            return Outcome.of(Result.FAILED_AT_TARGET, e.code(), e.getMessage(),
                    Side.TARGET).withRemedy(e.remedy());
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
        } catch (GuestException e) {
            if (!counts) {
                throw e;
            }
            listener.log(Level.WARN, "no other guest can be received: " + e.getMessage());
            served = true;
            return false;
        }
    }

    private Report.Begin begin(TargetMigration done) {
        return new Report.Begin(done.figures().migrationId().orElseThrow(),
                done.figures().guest().orElseThrow(),
                new Report.Choices(Optional.empty(), Optional.empty(), 1, Optional.empty(),
                        settings.listen().transport(),
                        Verification.values()[done.figures().verification()]),
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
        CloseHelper.closeAll(connections, migration, guest, broken ? null : guard, journal, lock,
                last);
    }

    private static AgentResult nothing(Result result, ErrorCode code, String reason,
            String remedy) {
        return AgentResult.ofNothing(Side.TARGET,
                Outcome.of(result, code, reason, Side.TARGET).withRemedy(remedy));
    }
}
