package io.pageferry.agent.session.warmup;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.netty.TransportServer;

/**
 * A target's link that takes the next connection of a server once that has said hello: for a
 * target that is made before its source calls, in one process with it. The target's thread alone
 * uses it; the server stays its maker's.
 */
public final class LateLink implements TargetLink {
    private final TransportServer server;
    private TargetLink link;

    /**
     * Waits for a caller.
     *
     * @param server listens; not closed here
     */
    public LateLink(TransportServer server) {
        this.server = server;
    }

    @Override
    public int poll(LinkHandler handler) {
        if (link == null) {
            link = server.pollAccepted();
        }
        return link == null ? 0 : link.poll(handler);
    }

    @Override
    public boolean send(Message message) {
        return link != null && link.send(message);
    }

    @Override
    public boolean isUp() {
        return link == null || link.isUp();
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

    @Override
    public void close() {
        if (link != null) {
            link.close();
        }
    }
}
