package io.pageferry.agent.session;

import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.Refusals;
import io.pageferry.agent.session.warmup.JvmFlags;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.agent.state.settle.StatusAnswers;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.agrona.CloseHelper;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Takes guests in as {@code receive} does: into one slot, one after another, until one is there or
 * no more are wanted; answers STATUS meanwhile and for a while afterwards.
 */
public final class TargetAgent implements FiniteAgent {
    private final ReceiveSettings settings;
    private final MigrationListener listener;
    private final Consumer<SocketAddress> listening;
    private final Consumer<AgentResult> finished;
    /** Of connections, which anybody can have refused; and of migrations. */
    private final Refusals refusals = new Refusals();
    private final Refusals offers = new Refusals();
    private Listener.Open acceptor;
    private TargetListener connections;
    private TargetSlot slot;
    private Phase phase = this::serve;
    private long startup;
    private AgentResult result;
    private volatile boolean cancelled;

    /** What is done in a duty cycle. */
    private interface Phase {
        int doWork() throws IOException;
    }

    /** What follows when a time is over. */
    private interface Then {
        void go() throws IOException;
    }

    /**
     * Makes an agent.
     *
     * @param settings  what to do
     * @param listener  receives events
     * @param listening called once with the address
     * @param finished  gets the result of each migration that got past negotiation, but for the
     *                  last with {@code --once}, which {@link #run} returns
     */
    public TargetAgent(ReceiveSettings settings, MigrationListener listener,
            Consumer<SocketAddress> listening, Consumer<AgentResult> finished) {
        this.settings = settings;
        this.listener = listener;
        this.listening = listening;
        this.finished = finished;
    }

    /**
     * Serves on the calling thread: with {@code --once} until one migration that got past
     * negotiation ended, else until it is cancelled.
     *
     * @return how it ended
     * @throws IllegalArgumentException when the guest's URI makes no sense
     */
    public AgentResult run() {
        AgentLoop.run(this);
        return result;
    }

    /** Requests a cancel; from any thread. */
    public void cancel() {
        cancelled = true;
    }

    /** {@return how it ended, once it is done} */
    public AgentResult result() {
        return result;
    }

    @Override
    public String roleName() {
        return "target " + settings.guest().text();
    }

    @Override
    public void onStart() {
        try {
            open();
        } catch (IOException e) {
            boolean stopped = e instanceof GuestException known
                    && known.code() == ErrorCode.CANCELLED;
            result = stopped ? AgentResult.ofNothing(Side.TARGET, Outcome.of(Result.CANCELLED,
                    ErrorCode.CANCELLED, e.getMessage(), Side.TARGET))
                    : AgentResult.refused(Side.TARGET, e);
        }
    }

    private void open() throws IOException {
        StateDirectory directory = StateDirectory.open(settings.stateDirectory());
        JvmFlags.checkLz4(listener);
        slot = new TargetSlot(settings, directory, listener, () -> cancelled);
        slot.open();
        acceptor = settings.listen().open(refusals::add);
        connections = new TargetListener(acceptor, new StatusAnswers(directory,
                line -> listener.on(MigrationEvent.warn(line)), slot::lends), List.of(slot));
        startup = settings.guest().startupNanos();
        acceptor.address().ifPresent(listening);
    }

    @Override
    public int doWork() {
        try {
            // Here and not on an IO thread, which a listener that waits would hold up.
            long now = SystemNanoClock.INSTANCE.nanoTime();
            log(refusals.poll(now), offers.poll(now));
            acceptor.notice().ifPresent(line -> listener.on(MigrationEvent.warn(line)));
            return connections.doWork() + phase.doWork();
        } catch (IOException e) {
            result = AgentResult.refused(Side.TARGET, e);
            return 1;
        }
    }

    @Override
    public boolean isDone() {
        return result != null;
    }

    private void log(Optional<String> refused, Optional<String> offer) {
        refused.ifPresent(line -> listener.on(MigrationEvent.info(line)));
        offer.ifPresent(line -> listener.on(MigrationEvent.warn(line)));
    }

    @Override
    public void onClose() {
        long now = SystemNanoClock.INSTANCE.nanoTime();
        log(refusals.take(now), offers.take(now));
        CloseHelper.closeAll(acceptor, connections == null ? null : connections::onClose,
                slot == null ? null : () -> slot.close(result == null));
    }

    /** Waits for an offer, or drives the session that took one. */
    private int serve() throws IOException {
        TargetSession session = slot.session().orElse(null);
        if (session == null) {
            if (cancelled) {
                result = AgentResult.ofNothing(Side.TARGET, Outcome.of(Result.CANCELLED,
                        ErrorCode.CANCELLED, slot.isFree() ? "no guest came"
                                : "the guest that came stays; no other did", Side.TARGET));
            } else {
                slot.keepStarted();
            }
            return 0;
        }
        if (cancelled) {
            session.cancel();
        }
        int work = session.doWork();
        if (session.isDone()) {
            boolean last = settings.once() && session.counts();
            stay(last ? session.unheardNanos() : 0, session::isHeard, () -> linger(session));
        }
        return work;
    }

    /** Answers for a while: a source that never received the last word may ask for it. */
    private void stay(long nanos, BooleanSupplier over, Then then) {
        long start = SystemNanoClock.INSTANCE.nanoTime();
        phase = () -> {
            if (over.getAsBoolean() || cancelled
                    || SystemNanoClock.INSTANCE.nanoTime() - start >= nanos) {
                then.go();
            }
            return 0;
        };
    }

    /** A guest that lives in this process runs as long as this stays. */
    private void linger(TargetSession session) {
        boolean lives = session.hasArrived() && slot.guest().livesInAgent();
        stay(!lives ? 0 : settings.once() ? settings.lingerNanos() : Long.MAX_VALUE,
                () -> false, () -> conclude(session));
    }

    /** Reports a session that ended, and ends with it or gets ready for the next one. */
    private void conclude(TargetSession session) throws IOException {
        boolean counts = session.counts();
        AgentResult ended = counts ? session.result(startup) : null;
        session.onClose();
        if (counts && (settings.once() || cancelled || session.isActivationFailed())) {
            result = ended;
            return;
        }
        if (session.isHere()) {
            slot.fill();
        } else if (!session.hasBegun()) {
            slot.forget();
        } else if (!renewed(counts)) {
            stay(session.unheardNanos(), session::isHeard, () -> result = ended);
            return;
        }
        if (counts) {
            finished.accept(ended);
        } else {
            offers.add("a migration: " + session.outcome().reason());
        }
        phase = this::serve;
    }

    /**
     * Gets ready for the next migration. Where one came to nothing and took its place with it, such
     * as its QEMU, there is no next one; but its source may yet ask.
     */
    private boolean renewed(boolean counts) throws IOException {
        try {
            slot.renew();
            return true;
        } catch (GuestException e) {
            if (e.code() == ErrorCode.CANCELLED) {
                return true; // what is next looks at that first
            }
            if (!counts) {
                throw e;
            }
            listener.on(MigrationEvent.warn("no other guest can be received: " + e.getMessage()));
            return false;
        }
    }
}
