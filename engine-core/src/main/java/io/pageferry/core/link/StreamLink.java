package io.pageferry.core.link;

import java.util.function.Consumer;

/** Carries streams of bytes beside the messages and pages of a migration. Any thread. */
public interface StreamLink {
    /**
     * Sends a part of a stream.
     *
     * @param part what to send
     * @return false when there is no room now, or the link is lost: nothing was sent
     */
    boolean sendStreamed(Message.Streamed part);

    /**
     * Sets the receiver of what comes. Without one the peer may send nothing.
     *
     * @param receiver takes the parts in order, on an IO thread, without waiting
     */
    void streamsTo(Consumer<Message.Streamed> receiver);

    /** {@return whether the link still stands} */
    boolean isUp();

    /** {@return for how many nanoseconds nothing came from the peer, heartbeats included} */
    long silentNanos();
}
