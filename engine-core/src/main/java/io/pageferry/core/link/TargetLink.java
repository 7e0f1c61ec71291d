package io.pageferry.core.link;

import io.pageferry.core.codec.PageBatch;

/** The target's end. */
public interface TargetLink extends Link {
    /**
     * Lets data channels attach that show the session's token and generation.
     *
     * @param welcome what was granted
     */
    void acceptChannels(Message.Welcome welcome);

    /**
     * Says that a batch is in the image: the source may forget it, and its slot is free.
     *
     * @param batch as delivered by {@link LinkHandler#onBatch}
     */
    void applied(PageBatch batch);
}
