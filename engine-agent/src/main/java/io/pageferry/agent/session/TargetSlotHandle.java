package io.pageferry.agent.session;

import io.pageferry.agent.host.process.Threads;
import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.agent.session.inbox.SlotInbox;
import io.pageferry.agent.session.inbox.SlotState;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.agrona.concurrent.IdleStrategy;

/** One slot of a {@link TargetHost}, with a thread of its own. Any thread. */
public final class TargetSlotHandle implements AutoCloseable {
    /** So long a slot that has nothing to do looks after what was started for its guest. */
    private static final long LOOK_NANOS = 50_000_000L;

    /** A connection, or the lock of a guest, comes back within this. */
    private static final long RETURN_NANOS = 1_000_000L;

    private final SlotInbox inbox;
    private final Working agent;
    private final Thread thread;

    TargetSlotHandle(SlotInbox inbox, ReceiveSettings settings, StateDirectory directory,
            MigrationListener listener, Consumer<AgentResult> finished) {
        this.inbox = inbox;
        this.agent = new Working(inbox, settings, directory, listener, finished);
        this.thread = Thread.ofPlatform().name("slot " + inbox.name()).unstarted(agent::run);
    }

    /** Opens what it needs, on its thread; returns when that is done. */
    void open() throws IOException {
        thread.start();
        try {
            agent.opened.join();
        } catch (CompletionException e) {
            Threads.join(thread);
            switch (e.getCause()) {
                case IOException failed -> throw failed;
                case RuntimeException broken -> throw broken;
                default -> throw e;
            }
        }
    }

    /** {@return its name} */
    public String name() {
        return inbox.name();
    }

    /** {@return what it does} */
    public SlotState state() {
        return inbox.state();
    }

    /** {@return the migration that brings a guest, while it is under way} */
    public Optional<UUID> migration() {
        return inbox.migration();
    }

    /**
     * Cancels the migration that is under way, where there is one and it is not too late; returns
     * at once. The slot stays.
     */
    public void cancel() {
        agent.cancel();
        inbox.wake();
    }

    /**
     * Ends the slot, and a guest that lives in this process; a guest that does not is left as it
     * is. What is under way is cancelled where it is not too late, and waited for. Idempotent.
     */
    @Override
    public void close() {
        end();
        Threads.join(thread);
    }

    /** Has it end; does not wait. */
    void end() {
        agent.end();
        inbox.wake();
    }

    /** Returns whether its thread ended. */
    boolean isOver() {
        return thread.getState() == Thread.State.TERMINATED;
    }

    SlotInbox inbox() {
        return inbox;
    }

    /** What its thread does. */
    private static final class Working implements FiniteAgent {
        private final SlotInbox inbox;
        private final MigrationListener listener;
        private final Consumer<AgentResult> finished;
        private final TargetSlot slot;
        private final CompletableFuture<Void> opened = new CompletableFuture<>();
        private final IdleStrategy busy = AgentLoop.idleStrategy();
        private volatile SlotRule rule;
        private volatile boolean ended;
        private AgentResult result;

        Working(SlotInbox inbox, ReceiveSettings settings, StateDirectory directory,
                MigrationListener listener, Consumer<AgentResult> finished) {
            this.inbox = inbox;
            this.listener = listener;
            this.finished = finished;
            this.slot = new TargetSlot(inbox, settings, directory, listener, () -> ended);
        }

        void run() {
            try {
                AgentLoop.runResting(this, this::rest);
            } catch (RuntimeException | Error e) {
                if (opened.completeExceptionally(e)) {
                    return; // whoever opens it gets this
                }
                listener.on(MigrationEvent.warn("slot " + inbox.name() + " broke: " + e));
                result = AgentResult.ofNothing(Side.TARGET, Outcome.of(Result.BUG,
                        ErrorCode.INTERNAL, String.valueOf(e), Side.TARGET));
            }
            if (result != null && !rule.isGuestless()) {
                finished.accept(result);
            }
        }

        /** While no source is there, nothing comes but by the inbox. */
        private void rest(int work) {
            if (work == 0 && inbox.state() != SlotState.RECEIVING) {
                inbox.await(LOOK_NANOS);
            } else {
                busy.idle(work);
            }
        }

        void end() {
            ended = true;
        }

        void cancel() {
            SlotRule now = rule;
            if (now != null) {
                now.cancel();
            }
        }

        @Override
        public String roleName() {
            return "slot " + inbox.name();
        }

        @Override
        public void onStart() {
            try {
                slot.open();
                rule = new SlotRule(slot, SlotRule.Manner.SHARED, finished);
                opened.complete(null);
            } catch (IOException e) {
                opened.completeExceptionally(e);
            }
        }

        @Override
        public int doWork() {
            try {
                if (ended) {
                    rule.end();
                }
                int work = rule.doWork();
                result = rule.result();
                return work;
            } catch (IOException e) {
                result = AgentResult.refused(Side.TARGET, e);
                return 1;
            }
        }

        @Override
        public boolean isDone() {
            return result != null || opened.isCompletedExceptionally();
        }

        /** A recovery that acts on the guest ends first: its lock is the slot's. */
        @Override
        public void onClose() {
            while (!inbox.close()) {
                LockSupport.parkNanos(RETURN_NANOS);
            }
            if (rule != null) {
                rule.close();
            }
            slot.close(result == null && !opened.isCompletedExceptionally());
        }
    }
}
