package io.pageferry.core.link;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.RegionTable;
import java.util.Optional;

/** The target's end. */
public interface TargetLink extends Link {
    /**
     * Returns who the source is, where the transport has proof of it. A session belongs to who
     * opened it: another one does not take it up again, whatever it knows.
     *
     * @return a text that is equal for one peer and no other, whatever proves it; empty where
     *         there is no proof, the same for every link of a transport
     */
    default Optional<String> peerIdentity() {
        return Optional.empty();
    }

    /**
     * Lets data channels attach that show the session's token and generation.
     *
     * @param welcome what was granted
     */
    void acceptChannels(Message.Welcome welcome);

    /**
     * Returns whether a data channel attached since channels were accepted.
     *
     * @return true from the first one on; always for a link that has no channels to attach
     */
    default boolean hasChannels() {
        return true;
    }

    /**
     * Does the same on a link that opened with RESUME, which does not name the regions.
     *
     * @param welcome what was granted, of a new generation
     * @param regions of the guest, as its HELLO named them
     */
    void resumeChannels(Message.Welcome welcome, RegionTable regions);

    /**
     * Sends that a batch is in the image: the source may forget it, and its slot is free.
     *
     * @param batch as delivered by {@link LinkHandler#onBatch}
     */
    void applied(PageBatch batch);
}
