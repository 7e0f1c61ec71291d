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
     * Says whether it can do something with a batch now. A link keeps batches for as long as it
     * cannot, and the source has no credit for more; messages are delivered all the same.
     *
     * @return false while what takes the pages has more to write than it keeps
     */
    default boolean takesBatches() {
        return true;
    }

    /**
     * The link is lost; delivered once, after all that arrived before and by a poll of its own, so
     * that a handler that takes the link over during such a call learns of the loss too.
     *
     * @param code   {@link ErrorCode#LINK_LOST}, or what the peer broke
     * @param reason why, in words
     */
    void onLost(ErrorCode code, String reason);
}
