package io.pageferry.core.link.flow;

import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.round.PageSink;
import io.pageferry.core.round.PageSinkFilter;

/**
 * The link of a source migration through all its connections: what is lost is replaced beneath
 * it, so that its users need not know. Confined to one thread, but for
 * the lanes of its sink: while one of them is filled, no link is replaced.
 */
public final class RenewableLink implements SourceLink {
    private final Sink sink = new Sink();
    private volatile SourceLink current;
    private long wireBytesBefore;
    private boolean renewed;

    /**
     * Begins with a link.
     *
     * @param first stays the caller's, but is closed when it is replaced
     */
    public RenewableLink(SourceLink first) {
        this.current = first;
    }

    /**
     * Goes on with another link. What the old one owed must have been reclaimed.
     *
     * @param fresh its channels are attached; closed by {@link #close}
     */
    public void renew(SourceLink fresh) {
        if (current.pages().unacknowledged() != 0) {
            throw new IllegalStateException("the debt of the lost link was not taken back");
        }
        current.close();
        wireBytesBefore += current.pages().wireBytes();
        current = fresh;
        renewed = true;
    }

    /** {@return whether it is not the first link any more, so that no other part closes it} */
    public boolean isRenewed() {
        return renewed;
    }

    @Override
    public boolean send(Message message) {
        return current.send(message);
    }

    @Override
    public int poll(LinkHandler handler) {
        return current.poll(handler);
    }

    @Override
    public boolean isUp() {
        return current.isUp();
    }

    @Override
    public void openChannels(Message.Welcome welcome) {
        current.openChannels(welcome);
    }

    @Override
    public boolean channelsReady() {
        return current.channelsReady();
    }

    @Override
    public PageSink pages() {
        return sink;
    }

    /** Closes the current link. */
    @Override
    public void close() {
        current.close();
    }

    /** Where pages go now. */
    private final class Sink extends PageSinkFilter {
        @Override
        protected PageSink sink() {
            return current.pages();
        }

        @Override
        public int lanes() {
            return current.pages().lanes();
        }

        @Override
        public PageSink lane(int index, int of) {
            return of == 1 ? this : new PageSinkFilter() {
                @Override
                protected PageSink sink() {
                    return current.pages().lane(index, of);
                }
            };
        }

        @Override
        public long wireBytes() {
            return wireBytesBefore + super.wireBytes();
        }
    }
}
