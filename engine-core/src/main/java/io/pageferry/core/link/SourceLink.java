package io.pageferry.core.link;

import io.pageferry.core.round.PageSink;

/** The source's end. */
public interface SourceLink extends Link {
    /**
     * Attaches the data channels that the target granted. Messages and pages may be sent once
     * {@link #channelsReady()}.
     *
     * @param welcome the target's yes
     */
    void openChannels(Message.Welcome welcome);

    /**
     * Returns whether every data channel is attached.
     *
     * @return true from then on
     */
    boolean channelsReady();

    /**
     * Returns the sink of the pages.
     *
     * @return the sink of this link, the same at each call
     */
    PageSink pages();
}
