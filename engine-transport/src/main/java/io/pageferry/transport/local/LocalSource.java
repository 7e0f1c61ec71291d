package io.pageferry.transport.local;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.round.PageSink;
import java.util.List;
import java.util.function.LongConsumer;

/** The source's end: slots are claimed from the channels in turn. Confined to one thread. */
final class LocalSource extends LocalEnd implements SourceLink, PageSink {
    private Message.Welcome welcome;
    private List<LocalChannel> channels = List.of();
    private int next;
    private long wireBytes;

    LocalSource(LocalConnection connection) {
        super(connection, connection.toSource, connection.toTarget);
    }

    @Override
    public void openChannels(Message.Welcome granted) {
        if (welcome != null) {
            throw new IllegalStateException("the channels were opened before");
        }
        welcome = granted;
    }

    @Override
    public boolean channelsReady() {
        if (channels.isEmpty() && welcome != null) {
            channels = connection.channels(welcome);
        }
        return !channels.isEmpty();
    }

    @Override
    public PageSink pages() {
        return this;
    }

    @Override
    int pollChannels(LinkHandler handler) {
        return channels.stream().mapToInt(LocalChannel::settle).sum();
    }

    @Override
    public PageBatch claim() {
        for (int i = 0; i < channels.size() && isUp(); i++) {
            next = (next + 1) % channels.size();
            PageBatch slot = channels.get(next).claim();
            if (slot != null) {
                return slot;
            }
        }
        return null;
    }

    @Override
    public void commit(PageBatch batch) {
        if (batch.count() == 0) {
            throw new IllegalArgumentException("a batch without pages was committed");
        }
        wireBytes += LocalChannel.bytes(batch);
        // A debt also where the link is lost by now: so it comes back with the rest.
        channels.get(batch.channel()).commit(batch, isUp());
    }

    @Override
    public void abandon(PageBatch batch) {
        channels.get(batch.channel()).abandon(batch);
    }

    @Override
    public int unacknowledged() {
        return channels.stream().mapToInt(LocalChannel::unacknowledged).sum();
    }

    @Override
    public long[] lastSequences() {
        return channels.stream().mapToLong(LocalChannel::lastSequence).toArray();
    }

    @Override
    public long wireBytes() {
        return wireBytes;
    }

    @Override
    public long reclaim(LongConsumer pages) {
        if (isUp()) {
            throw new IllegalStateException("the link stands: its debt is under way");
        }
        return channels.stream().mapToLong(channel -> channel.reclaim(pages)).sum();
    }
}
