package io.pageferry.core.link;

import java.util.Optional;

/**
 * A connection between source and target. Never waits: what cannot be done now is a return value.
 * One thread, the migration's own, calls every method.
 */
public interface Link extends AutoCloseable {
    /**
     * Sends a message after all those sent before.
     *
     * @param message what to send
     * @return false when the link is lost or its queue is full; nothing was sent then
     */
    boolean send(Message message);

    /**
     * Delivers what has arrived, in the order of arrival on each channel.
     *
     * @param handler receives it, on the calling thread
     * @return how many things were delivered, 0 for none
     */
    int poll(LinkHandler handler);

    /**
     * Returns whether the link still stands. A lost link never comes back.
     *
     * @return false once it was lost or closed
     */
    boolean isUp();

    /** {@return the streams of bytes that this link carries too, empty where it carries none} */
    default Optional<StreamLink> streams() {
        return Optional.empty();
    }

    /** Sends what is queued where that needs no wait, ends the link and frees it. Idempotent. */
    @Override
    void close();
}
