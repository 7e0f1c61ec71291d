package io.pageferry.core.testing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.handover.Ownership;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Link;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Side;

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
            link.send(Ownership.of(Side.TARGET, journal).answer(status));
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
}
