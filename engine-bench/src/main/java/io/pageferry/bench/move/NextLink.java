package io.pageferry.bench.move;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.transport.netty.TransportServer;

/** A target's link that takes the server's next connection once that has said hello. */
final class NextLink implements TargetLink {
    private final TransportServer server;
    private TargetLink link;

    NextLink(TransportServer server) {
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
