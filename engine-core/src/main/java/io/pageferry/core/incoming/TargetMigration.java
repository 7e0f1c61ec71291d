package io.pageferry.core.incoming;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.image.HostFaults;
import io.pageferry.core.incoming.phase.Ended;
import io.pageferry.core.incoming.phase.Phase;
import io.pageferry.core.incoming.phase.Waiting;
import io.pageferry.core.incoming.session.Receiver;
import io.pageferry.core.incoming.session.TargetContext;
import io.pageferry.core.incoming.session.TargetFigures;
import io.pageferry.core.incoming.session.TargetParts;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.MigrationSnapshot;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.migration.Outcome;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Drives the target's phases: the target rows of the tables of docs/PROTOCOL.md. A duty cycle
 * drives it: call {@link #doWork} until {@link #isDone}. It starts no thread and never waits, but
 * for the guest's own acts. One thread calls everything but {@link #cancel}.
 *
 * <p>The rule that it protects: REFUSED and ACTIVE exclude each other in the journal, and J(ACTIVE)
 * precedes the guest's first instruction here.
 */
public final class TargetMigration implements LinkHandler, AutoCloseable {
    private final TargetContext context;
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private Phase phase;
    private volatile MigrationSnapshot snapshot;

    /**
     * Makes a migration that waits for its offer.
     *
     * @param parts what it works with; stays the caller's
     */
    public TargetMigration(TargetParts parts) {
        this.context = new TargetContext(parts);
        this.phase = new Waiting(context);
        this.snapshot = context.publish(phase.state());
    }

    /**
     * Does what can be done now.
     *
     * @return how much that was; 0 when there is nothing to do at the moment
     */
    public int doWork() {
        if (isDone()) {
            return 0;
        }
        try {
            context.worked(context.link().poll(this) + context.flush());
            if (cancelled.get()) {
                go(phase.cancel());
            }
            if (!isDone() && context.closeIfPeerNotReading()) {
                go(phase.end(ErrorCode.PROTOCOL_VIOLATION, "the source reads no answer",
                        Side.SOURCE));
            }
            go(phase.turn(context.now()));
        } catch (RuntimeException e) {
            bug(e);
        } catch (VirtualMachineError e) {
            // A page of the image that cannot be had (InternalError) is the host's affair.
            bug(HostFaults.asException(e, "its file was cut short, or its file system is full"));
        }
        int work = context.takeWork();
        if (work > 0) {
            snapshot = context.publish(phase.state());
        }
        return work;
    }

    /** Requests a cancel; from any thread. After the grant it is too late. */
    public void cancel() {
        cancelled.set(true);
    }

    /** {@return whether the migration ended} */
    public boolean isDone() {
        return phase instanceof Ended;
    }

    /** {@return how it ended, or empty while it goes on} */
    public Optional<Outcome> outcome() {
        return phase instanceof Ended ended ? Optional.of(ended.outcome()) : Optional.empty();
    }

    /** {@return the state} */
    public TargetState state() {
        return phase.state();
    }

    /** {@return where it is since it last did something; to any thread} */
    public MigrationSnapshot snapshot() {
        return snapshot;
    }

    /** {@return what was measured} */
    public TargetFigures figures() {
        return context.figures();
    }

    /**
     * Takes the migration up again over a new connection. Only a peer with the session's token and
     * a generation above the present one gets in, and where links prove who the peer is, only the
     * one that opened the session; any other peer disturbs nothing. The old link is closed first,
     * and with it goes all that it still held: the source sends that again.
     *
     * @param fresh on which RESUME came
     * @param asked the message
     * @return empty when the link was taken, to be polled here from now on; else the answer to
     *         give on it, and it stays the caller's
     */
    public Optional<Message> resume(TargetLink fresh, Message.Resume asked) {
        if (isDone() || !context.isOurs(asked)) {
            return context.noSession();
        }
        if (!fresh.peerIdentity().equals(context.parts().link().peerIdentity())) {
            return context.refusal("the session belongs to another peer");
        }
        if (asked.generation() <= context.generation() || asked.epoch() < context.epoch()) {
            return context.refusal("generation " + asked.generation() + ", epoch " + asked.epoch()
                    + ": the session is at " + context.generation() + ", epoch "
                    + context.epoch());
        }
        try {
            go(phase.sourceBack(fresh, asked.generation()));
        } catch (RuntimeException e) {
            bug(e);
        }
        return phase.answerToResume();
    }

    /** Frees what the migration made itself. */
    @Override
    public void close() {
        context.close();
    }

    @Override
    public void onMessage(Message message) {
        go(phase.on(message));
    }

    @Override
    public boolean takesBatches() {
        // Once it is given up, the image is not asked any more.
        return phase.state() != TargetState.RECEIVING
                || context.receiver().map(Receiver::hasRoom).orElse(true);
    }

    @Override
    public void onBatch(PageBatch batch) {
        go(phase.on(batch));
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        go(phase.lost(code, reason));
    }

    /** Goes on with a phase, and begins those that follow. */
    private void go(Phase next) {
        Phase following = next;
        while (following != phase) {
            TargetState before = phase.state();
            phase = following;
            if (phase.state() != before) {
                context.announce(phase.state());
                snapshot = context.publish(phase.state());
            }
            following = phase.begin();
        }
    }

    /** Lets the phase decide; where that has a bug too, the phase that it led to. */
    private void bug(RuntimeException e) {
        context.worked(1);
        try {
            go(phase.bug(e));
        } catch (RuntimeException again) {
            go(phase.bug(again));
        }
    }
}
