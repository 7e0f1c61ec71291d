package io.pageferry.agent.state.settle;

import io.pageferry.agent.state.guard.JournaledMigration;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Ownership;
import io.pageferry.core.handover.Recovery;
import io.pageferry.core.handover.Recovery.Doubt;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Answers STATUS from the journals of a state directory: a target's last word outlives its
 * command. Where a target died without one, this is "agent restarted": the journal is taken over
 * and finished first.
 */
public final class StatusAnswers {
    private final StateDirectory directory;
    private final Consumer<String> words;
    private final Predicate<String> lent;

    /**
     * Opens the journals of a state directory.
     *
     * @param directory of the journals
     * @param words     gets one line for people at a time
     * @param lent      returns for a guest's identity whether this process has its lock and is
     *                  doing nothing with the guest, so that it may be recovered
     */
    public StatusAnswers(StateDirectory directory, Consumer<String> words,
            Predicate<String> lent) {
        this.directory = directory;
        this.words = words;
        this.lent = lent;
    }

    /**
     * Answers a STATUS from the journals.
     *
     * @param asked what became of a grant
     * @return the durable word, or that nothing is known
     */
    public Message answer(Message.Status asked) {
        try {
            Optional<FileJournal> journal = directory.find(asked.migrationId(), Side.TARGET);
            if (journal.isEmpty()) {
                return new Message.StatusUnknown(asked.epoch(),
                        "no journal of this migration here: that is not a no");
            }
            Ownership found = journal.get().ownership();
            return (found.settled() ? found : finished(asked.migrationId(), found)).answer(asked);
        } catch (IOException e) {
            return new Message.StatusUnknown(asked.epoch(), "cannot tell: " + e.getMessage());
        }
    }

    /**
     * Answers a source that wants to go on with a migration that ended here: with the durable no
     * of the epoch that it was in, where there is one.
     *
     * @param asked by a source that lost its link
     * @return the answer
     */
    public Message answer(Message.Resume asked) {
        Message word = answer(new Message.Status(asked.migrationId(), asked.epoch()));
        return word instanceof Message.Refused ? word : new Message.Failure(
                ErrorCode.PROTOCOL_VIOLATION, "the token belongs to no session here");
    }

    /** Finishes what an agent left, where no other process has the journal or the guest. */
    private Ownership finished(UUID migration, Ownership found) throws IOException {
        try (Recovery recovery = new Recovery(
                new JournaledMigration(directory, migration, Side.TARGET, null, lent),
                new Recovery.Options(Doubt.STAY_PAUSED, 0, Recovery.Options.WINDOW_NANOS),
                SystemNanoClock.INSTANCE, words)) {
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
}
