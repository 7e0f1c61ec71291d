package io.pageferry.transport.local;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.memory.RegionTable;

/** The target's end. Confined to one thread. */
final class LocalTarget extends LocalEnd implements TargetLink {
    LocalTarget(LocalConnection connection) {
        super(connection, connection.toTarget, connection.toSource);
    }

    @Override
    public void acceptChannels(Message.Welcome welcome) {
        connection.accept(welcome);
    }

    @Override
    public void resumeChannels(Message.Welcome welcome, RegionTable regions) {
        // Batches are not parsed here, so what they may name need not be known.
        connection.accept(welcome);
    }

    @Override
    int pollChannels(LinkHandler handler) {
        int delivered = 0;
        for (LocalChannel channel : connection.channels()) {
            PageBatch batch;
            while (delivered < MOST && !isClosed() && handler.takesBatches()
                    && (batch = channel.arrived()) != null) {
                delivered++;
                handler.onBatch(batch);
            }
        }
        return delivered;
    }

    @Override
    public void applied(PageBatch batch) {
        connection.channels().get(batch.channel()).applied(batch.sequence());
    }
}
