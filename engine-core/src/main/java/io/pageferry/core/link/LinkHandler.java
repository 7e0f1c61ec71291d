package io.pageferry.core.link;

import io.pageferry.core.codec.PageBatch;

/** Receives what a {@link Link} delivers. */
public interface LinkHandler {
    /**
     * Takes a message of the peer: well-formed, within limits, else unchecked.
     *
     * @param message the message
     */
    void onMessage(Message message);

    /**
     * Takes a verified batch; only at a target. It stays valid until
     * {@link TargetLink#applied} is called for it.
     *
     * @param batch the batch
     */
    void onBatch(PageBatch batch);

    /**
     * The link is lost; delivered once, after all that arrived before and by a poll of its own, so
     * that a handler that takes the link over during such a call learns of the loss too.
     *
     * @param code   {@link ErrorCode#LINK_LOST}, or what the peer broke
     * @param reason why, in words
     */
    void onLost(ErrorCode code, String reason);
}
