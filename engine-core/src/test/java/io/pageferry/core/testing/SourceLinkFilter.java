package io.pageferry.core.testing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.round.PageSink;
import java.util.function.LongConsumer;

/** A source's link, and its sink, that a test may bend: override what is to go wrong. */
public class SourceLinkFilter implements SourceLink, PageSink {
    private final SourceLink link;

    /**
     * Wraps a link.
     *
     * @param link does what is not overridden
     */
    public SourceLinkFilter(SourceLink link) {
        this.link = link;
    }

    @Override
    public boolean send(Message message) {
        return link.send(message);
    }

    @Override
    public int poll(LinkHandler handler) {
        return link.poll(handler);
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
    public void openChannels(Message.Welcome welcome) {
        link.openChannels(welcome);
    }

    @Override
    public boolean channelsReady() {
        return link.channelsReady();
    }

    @Override
    public PageSink pages() {
        return this;
    }

    @Override
    public PageBatch claim() {
        return link.pages().claim();
    }

    @Override
    public void commit(PageBatch batch) {
        link.pages().commit(batch);
    }

    @Override
    public void abandon(PageBatch batch) {
        link.pages().abandon(batch);
    }

    @Override
    public int unacknowledged() {
        return link.pages().unacknowledged();
    }

    @Override
    public long[] lastSequences() {
        return link.pages().lastSequences();
    }

    @Override
    public long wireBytes() {
        return link.pages().wireBytes();
    }

    @Override
    public long reclaim(LongConsumer pages) {
        return link.pages().reclaim(pages);
    }
}
