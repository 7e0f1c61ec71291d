package io.pageferry.core.testing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Link;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;

/**
 * Answers STATUS from a target's journal, as any later {@code receive} on the same state directory
 * does.
 */
public final class JournalAnswers implements LinkHandler {
    private final TestJournal journal;
    private final Link link;

    /**
     * Makes one for a link.
     *
     * @param journal of the target
     * @param link    receives the answers
     */
    public JournalAnswers(TestJournal journal, Link link) {
        this.journal = journal;
        this.link = link;
    }

    @Override
    public void onMessage(Message message) {
        if (message instanceof Message.Status status) {
            link.send(journal.decision().filter(entry -> entry.epoch() == status.epoch())
                    .map(JournalAnswers::word)
                    .orElse(new Message.StatusUnknown(status.epoch(), "no such epoch")));
        }
    }

    @Override
    public void onBatch(PageBatch batch) {
        throw new IllegalStateException("pages on a link that only asks");
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        // Whoever asks opens another.
    }

    private static Message word(JournalRecord last) {
        return switch (last.state()) {
            case RUNNING -> new Message.Running(last.epoch(), 0);
            case REFUSED -> new Message.Refused(last.epoch(), last.note());
            case RETURNED -> new Message.Returned(last.epoch(), last.note());
            default -> new Message.StatusUnknown(last.epoch(), "undecided: " + last.state());
        };
    }
}
