package io.pageferry.core.handover;

import io.pageferry.core.link.Link;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.Message;
import java.util.UUID;

/**
 * After the grant: the target may run, so the source waits for its word, over the link it has or a
 * new one, asking again with growing pauses. Used by the source migration and by {@code settle}.
 */
public final class StatusQuery implements AutoCloseable {
    /** First pause between two questions; doubled up to {@link #MAX_PAUSE}. */
    private static final long FIRST_PAUSE = 100_000_000L;

    private static final long MAX_PAUSE = 2_000_000_000L;

    private final UUID migrationId;
    private final long epoch;
    private final LinkOpener opener;
    private final long deadline;
    private Link link;
    private boolean ours;
    private long pause = FIRST_PAUSE;
    private long nextQuestion;

    /**
     * Begins to wait.
     *
     * @param migrationId  the migration
     * @param epoch        that was granted
     * @param opener       reaches the target
     * @param link         the link of the grant, stays the caller's, or null
     * @param window       from when until when to ask
     */
    public StatusQuery(UUID migrationId, long epoch, LinkOpener opener, Link link, Window window) {
        this.migrationId = migrationId;
        this.epoch = epoch;
        this.opener = opener;
        this.link = link;
        this.deadline = window.start() + window.length();
        this.nextQuestion = window.start() + FIRST_PAUSE;
    }

    /**
     * A span of time.
     *
     * @param start  monotonic nanoseconds
     * @param length nanoseconds
     */
    public record Window(long start, long length) { }

    /**
     * Asks when it is time to, and delivers answers.
     *
     * @param now     monotonic nanoseconds
     * @param handler receives them
     * @return work done, 0 for none
     */
    public int step(long now, LinkHandler handler) {
        int work = link == null ? 0 : link.poll(handler);
        if (now - nextQuestion >= 0) {
            ask();
            pause = Math.min(MAX_PAUSE, 2 * pause);
            nextQuestion = now + pause;
        }
        return work;
    }

    /**
     * Returns whether the window is over.
     *
     * @param now monotonic nanoseconds
     * @return true when no answer came in time
     */
    public boolean isOver(long now) {
        return now - deadline >= 0;
    }

    /**
     * Sends a last message where a link is there.
     *
     * @param message what to send
     * @return false where there is no link, or it has no room now
     */
    public boolean tell(Message message) {
        return link != null && link.send(message);
    }

    /** Closes the link that it opened itself. */
    @Override
    public void close() {
        if (ours && link != null) {
            link.close();
        }
        link = null;
    }

    private void ask() {
        if (link == null || !link.isUp()) {
            close();
            link = opener.beginOpen().orElse(null);
            ours = true;
        }
        if (link != null) {
            link.send(new Message.Status(migrationId, epoch));
        }
    }
}
