package io.pageferry.agent.state.settle;

import io.pageferry.agent.state.guard.Recovery;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * Answers STATUS from the journals of a state directory: a target's last word outlives its
 * command. Where a target died without one, this is "agent restarted": the journal is taken over
 * and finished first.
 */
public final class StatusAnswers {
    private final StateDirectory directory;
    private final Consumer<String> words;

    /**
     * Opens it.
     *
     * @param directory of the journals
     * @param words     hears one line for people at a time
     */
    public StatusAnswers(StateDirectory directory, Consumer<String> words) {
        this.directory = directory;
        this.words = words;
    }

    /**
     * Answers.
     *
     * @param asked what became of a grant
     * @return the durable word, or that nothing is known
     */
    public Message answer(Message.Status asked) {
        try {
            Optional<FileJournal> journal = directory.find(asked.migrationId(), Side.TARGET);
            if (journal.isEmpty()) {
                return unknown(asked, "no journal of this migration here: that is not a no");
            }
            boolean finished = false;
            if (!journal.get().isSettled()) {
                finished = finish(asked.migrationId());
                journal = directory.find(asked.migrationId(), Side.TARGET);
            }
            // Refused, and perhaps not ended yet: who wrote it has the lock and is about to.
            boolean ended = finished || journal.map(FileJournal::isSettled).orElse(false);
            return journal.flatMap(FileJournal::decision)
                    .map(last -> last.state() == JournalState.REFUSED && !ended
                            ? unknown(asked, "refused, but not ended yet") : word(asked, last))
                    .orElse(unknown(asked, "nothing was prepared here: that is not a no"));
        } catch (IOException e) {
            return unknown(asked, "cannot tell: " + e.getMessage());
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

    /** Tells whether it could; then a refused guest has ended, and there may be no record of it. */
    private boolean finish(UUID migration) throws IOException {
        Optional<FileJournal> taken = directory.takeOver(migration, Side.TARGET);
        if (taken.isPresent()) {
            try (FileJournal held = taken.get()) {
                new Recovery(held, words).run();
            }
        }
        return taken.isPresent();
    }

    private static Message word(Message.Status asked, JournalRecord last) {
        if (last.epoch() != asked.epoch()) {
            return unknown(asked, "the epoch here is " + last.epoch());
        }
        return switch (last.state()) {
            case RUNNING -> new Message.Running(asked.epoch(), 0);
            case REFUSED -> new Message.Refused(asked.epoch(), last.note());
            case RETURNED -> new Message.Returned(asked.epoch(), last.note());
            default -> unknown(asked, "still "
                    + (last.state() == JournalState.ACTIVE ? "starting" : "deciding"));
        };
    }

    private static Message unknown(Message.Status asked, String why) {
        return new Message.StatusUnknown(asked.epoch(), why);
    }
}
