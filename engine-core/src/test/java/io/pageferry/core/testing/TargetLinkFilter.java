package io.pageferry.core.testing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.RegionTable;

/**
 * A target's link that a test may bend: override what is to go wrong. What {@link #deliver} gets
 * has passed every check of a frame already.
 */
public class TargetLinkFilter implements TargetLink {
    private final TargetLink link;

    /**
     * Wraps a link.
     *
     * @param link does what is not overridden
     */
    public TargetLinkFilter(TargetLink link) {
        this.link = link;
    }

    /**
     * Passes a batch on.
     *
     * @param batch   verified; may be changed
     * @param handler receives it
     */
    protected void deliver(PageBatch batch, LinkHandler handler) {
        handler.onBatch(batch);
    }

    /**
     * Passes a message on.
     *
     * @param message from the source
     * @param handler receives it
     */
    protected void deliver(Message message, LinkHandler handler) {
        handler.onMessage(message);
    }

    @Override
    public boolean send(Message message) {
        return link.send(message);
    }

    @Override
    public int poll(LinkHandler handler) {
        return link.poll(new LinkHandler() {
            @Override
            public void onMessage(Message message) {
                deliver(message, handler);
            }

            @Override
            public void onBatch(PageBatch batch) {
                deliver(batch, handler);
            }

            @Override
            public boolean takesBatches() {
                return handler.takesBatches();
            }

            @Override
            public void onLost(ErrorCode code, String reason) {
                handler.onLost(code, reason);
            }
        });
    }

    @Override
    public boolean isUp() {
        return link.isUp();
    }

    @Override
    public void close() {
        link.close();
    }

    @Override
    public void acceptChannels(Message.Welcome welcome) {
        link.acceptChannels(welcome);
    }

    @Override
    public void resumeChannels(Message.Welcome welcome, RegionTable regions) {
        link.resumeChannels(welcome, regions);
    }

    @Override
    public void applied(PageBatch batch) {
        link.applied(batch);
    }
}
