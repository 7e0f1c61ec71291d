package io.pageferry.core.testing;

import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.round.PageSink;
import io.pageferry.core.round.PageSinkFilter;

/** A source's link, and its sink, that a test may bend: override what is to go wrong. */
public class SourceLinkFilter extends PageSinkFilter implements SourceLink {
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
    public int lanes() {
        return link.pages().lanes();
    }

    @Override
    public PageSink lane(int index, int of) {
        return of == 1 ? this : link.pages().lane(index, of);
    }

    @Override
    protected final PageSink sink() {
        return link.pages();
    }
}
