package io.pageferry.agent.state.settle;

import io.pageferry.agent.state.guard.JournaledMigration;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Ownership;
import io.pageferry.core.handover.Recovery;
import io.pageferry.core.handover.Recovery.Doubt;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Answers STATUS from the journals of a state directory: a target's last word outlives its
 * command. Where a target died without one, this is "agent restarted": the journal is taken over
 * and finished first, on a thread of its own, for what it waits for (a guest that does not answer)
 * must not hold up a migration. One thread calls every method.
 */
public final class StatusAnswers implements AutoCloseable {
    /** A recovery ends by itself: its window, and what it may need to leave a guest. */
    private static final long LONGEST_NANOS = Recovery.Options.WINDOW_NANOS + 10_000_000_000L;

    private final StateDirectory directory;
    private final Consumer<String> words;
    private final Predicate<String> lent;
    private final Map<UUID, Pending> pending = new HashMap<>();
    private final Queue<String> said = new ConcurrentLinkedQueue<>();
    private ExecutorService thread;

    /** A recovery that is under way, and whether it acts under a lock that was lent. */
    private record Pending(CompletableFuture<Ownership> end, boolean lent) { }

    /**
     * Opens the journals of a state directory.
     *
     * @param directory of the journals
     * @param words     gets one line for people at a time, by {@link #doWork}
     * @param lent      returns for a guest's identity whether this process has its lock and is
     *                  doing nothing with the guest, so that it may be recovered; it must do
     *                  nothing with it as long as {@link #isLent}
     */
    public StatusAnswers(StateDirectory directory, Consumer<String> words,
            Predicate<String> lent) {
        this.directory = directory;
        this.words = words;
        this.lent = lent;
    }

    /** Hands out the words of recoveries, and forgets those that are over; returns work done. */
    public int doWork() {
        int work = 0;
        for (String line = said.poll(); line != null; line = said.poll()) {
            words.accept(line);
            work++;
        }
        if (!pending.isEmpty() && pending.values().removeIf(one -> one.end().isDone())) {
            work++;
        }
        return work;
    }

    /** {@return whether no recovery is under way, and nothing of one is to be said} */
    public boolean isIdle() {
        return pending.isEmpty() && said.isEmpty();
    }

    /** {@return whether a recovery acts on a guest whose lock it was lent} */
    public boolean isLent() {
        return pending.values().stream().anyMatch(one -> one.lent() && !one.end().isDone());
    }

    /**
     * Answers a STATUS from the journals.
     *
     * @param asked what became of a grant
     * @return the durable word, or that nothing is known: now, or when a recovery is over
     */
    public CompletableFuture<Message> answer(Message.Status asked) {
        try {
            Optional<FileJournal> journal = directory.find(asked.migrationId(), Side.TARGET);
            if (journal.isEmpty()) {
                return CompletableFuture.completedFuture(new Message.StatusUnknown(asked.epoch(),
                        "no journal of this migration here: that is not a no"));
            }
            Ownership found = journal.get().ownership();
            if (found.settled()) {
                return CompletableFuture.completedFuture(found.answer(asked));
            }
            return finished(journal.get(), found).handle((now, failure) -> failure == null
                    ? now.answer(asked) : unknown(asked, failure));
        } catch (IOException e) {
            return CompletableFuture.completedFuture(unknown(asked, e));
        }
    }

    private static Message unknown(Message.Status asked, Throwable why) {
        return new Message.StatusUnknown(asked.epoch(), "cannot tell: " + why.getMessage());
    }

    /**
     * Answers a source that wants to go on with a migration that ended here: with the durable no
     * of the epoch that it was in, where there is one.
     *
     * @param asked by a source that lost its link
     * @return the answer, now or when a recovery is over
     */
    public CompletableFuture<Message> answer(Message.Resume asked) {
        return answer(new Message.Status(asked.migrationId(), asked.epoch())).thenApply(word ->
                word instanceof Message.Refused ? word : new Message.Failure(
                        ErrorCode.PROTOCOL_VIOLATION, "the token belongs to no session here"));
    }

    /** Finishes what an agent left, where no other process has the journal or the guest. */
    private CompletableFuture<Ownership> finished(FileJournal journal, Ownership found) {
        UUID migration = journal.header().migration();
        Pending underWay = pending.get(migration);
        if (underWay != null && !underWay.end().isDone()) {
            return underWay.end();
        }
        String identity = journal.header().recoveryAddress().get(JournalHeader.IDENTITY);
        boolean ours = identity != null && lent.test(identity);
        CompletableFuture<Ownership> end = new CompletableFuture<>();
        pending.put(migration, new Pending(end, ours));
        thread().execute(() -> {
            try {
                end.complete(recover(migration, found, ours));
            } catch (IOException | RuntimeException e) {
                end.completeExceptionally(e);
            }
        });
        return end;
    }

    private ExecutorService thread() {
        if (thread == null) {
            thread = Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("recovery").factory());
        }
        return thread;
    }

    private Ownership recover(UUID migration, Ownership found, boolean ours) throws IOException {
        try (Recovery recovery = new Recovery(
                new JournaledMigration(directory, migration, Side.TARGET, null, any -> ours),
                new Recovery.Options(Doubt.STAY_PAUSED, 0, Recovery.Options.WINDOW_NANOS),
                SystemNanoClock.INSTANCE, said::add)) {
            JournaledMigration.run(recovery);
            if (recovery.missing().isPresent()) {
                return found;
            }
            Ownership now = recovery.ownership();
            // A refused guest has ended, and a full disk may have no room for a record of it.
            return now.state() == JournalState.REFUSED
                    ? new Ownership(now.side(), now.decision(), true) : now;
        }
    }

    /** Waits for a recovery that is under way: what it was lent is about to be closed. */
    @Override
    public void close() {
        if (thread != null) {
            thread.shutdown();
            try {
                thread.awaitTermination(LONGEST_NANOS, TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            thread = null;
        }
        doWork();
    }
}
