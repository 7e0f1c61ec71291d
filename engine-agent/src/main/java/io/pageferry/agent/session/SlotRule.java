package io.pageferry.agent.session;

import io.pageferry.agent.link.Refusals;
import io.pageferry.agent.session.inbox.SlotState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.agrona.concurrent.SystemNanoClock;

/**
 * What a slot does from one offer to the next: it waits for one, drives the session that took it,
 * reports it, and gets ready for another one. Of the slot's thread, but for {@link #end} and
 * {@link #cancel}.
 */
final class SlotRule {
    private final TargetSlot slot;
    private final Manner manner;
    private final Consumer<AgentResult> finished;
    private final long startup;
    /** Of migrations that came to nothing before their first page. */
    private final Refusals offers = new Refusals();
    private Phase phase = this::serve;
    private AgentResult result;
    private boolean guestless;
    private volatile boolean ended;
    private volatile boolean cancelled;

    /**
     * How long it goes on.
     *
     * @param once        whether it ends after one migration that counts
     * @param lingerNanos how long a session goes on after its guest, which lives in this process,
     *                    arrived
     */
    record Manner(boolean once, long lingerNanos) {
        /** One beside others: its guest lives on in it, and the session ends with the move. */
        static final Manner SHARED = new Manner(false, 0);

        /** That of {@code receive}: without {@code --once} it stays as long as its guest. */
        static Manner of(ReceiveSettings settings) {
            return new Manner(settings.once(),
                    settings.once() ? settings.lingerNanos() : Long.MAX_VALUE);
        }
    }

    /** What is done in a duty cycle. */
    private interface Phase {
        int doWork() throws IOException;
    }

    /** What follows when a time is over. */
    private interface Then {
        void go() throws IOException;
    }

    /**
     * Begins to wait for an offer.
     *
     * @param slot     open; stays the caller's
     * @param manner   how long it goes on
     * @param finished gets the result of each migration that got past negotiation, but for one that
     *                 ends the slot, which {@link #result} gives
     */
    SlotRule(TargetSlot slot, Manner manner, Consumer<AgentResult> finished) {
        this.slot = slot;
        this.manner = manner;
        this.finished = finished;
        this.startup = slot.settings().guest().startupNanos();
    }

    /** Ends it; what is under way is cancelled where it is not too late. From any thread. */
    void end() {
        ended = true;
    }

    /** Cancels the migration that is under way, if there is one. From any thread. */
    void cancel() {
        cancelled = true;
    }

    /** {@return how it ended, or null while it goes on} */
    AgentResult result() {
        return result;
    }

    /** {@return whether it was ended while there was no migration} */
    boolean isGuestless() {
        return guestless;
    }

    int doWork() throws IOException {
        String offer = offers.poll(SystemNanoClock.INSTANCE.nanoTime()).orElse(null);
        if (offer != null) {
            slot.listener().on(MigrationEvent.warn(offer));
        }
        return slot.deliver() + phase.doWork();
    }

    /** Says what was not said yet. */
    void close() {
        offers.take(SystemNanoClock.INSTANCE.nanoTime())
                .ifPresent(line -> slot.listener().on(MigrationEvent.warn(line)));
    }

    /** Waits for an offer, or drives the session that took one. */
    private int serve() throws IOException {
        TargetSession session = slot.session().orElse(null);
        if (session == null) {
            cancelled &= slot.inbox().state() == SlotState.RECEIVING;
            if (ended) {
                guestless = true;
                result = AgentResult.ofNothing(Side.TARGET, Outcome.of(Result.CANCELLED,
                        ErrorCode.CANCELLED, slot.inbox().state() == SlotState.FULL
                                ? "the guest that came stays; no other did" : "no guest came",
                        Side.TARGET));
            } else {
                slot.keepStarted();
            }
            return 0;
        }
        if (ended || cancelled) {
            session.cancel();
        }
        int work = session.doWork();
        if (session.isDone()) {
            boolean last = manner.once() && session.counts();
            stay(last ? session.unheardNanos() : 0, session::isHeard, () -> linger(session));
        }
        return work;
    }

    /** Answers for a while: a source that never received the last word may ask for it. */
    private void stay(long nanos, BooleanSupplier over, Then then) {
        long start = SystemNanoClock.INSTANCE.nanoTime();
        phase = () -> {
            if (over.getAsBoolean() || ended
                    || SystemNanoClock.INSTANCE.nanoTime() - start >= nanos) {
                then.go();
            }
            return 0;
        };
    }

    /** A guest that lives in this process runs as long as this stays. */
    private void linger(TargetSession session) {
        boolean lives = session.hasArrived() && slot.guest().livesInAgent();
        stay(lives ? manner.lingerNanos() : 0, () -> false, () -> conclude(session));
    }

    /** Reports a session that ended, and ends with it or gets ready for the next one. */
    private void conclude(TargetSession session) throws IOException {
        cancelled = false;
        boolean counts = session.counts();
        AgentResult end = counts ? session.result(startup) : null;
        session.onClose();
        if (counts && (manner.once() || ended || session.isActivationFailed())) {
            result = end;
            return;
        }
        if (session.isHere()) {
            slot.fill();
        } else if (!session.hasBegun()) {
            slot.forget();
        } else if (!renewed(counts)) {
            stay(session.unheardNanos(), session::isHeard, () -> result = end);
            return;
        }
        if (counts) {
            finished.accept(end);
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
            slot.listener().on(MigrationEvent.warn("no other guest can be received: "
                    + e.getMessage()));
            return false;
        }
    }
}
