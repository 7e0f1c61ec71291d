package io.pageferry.core.round;

import io.pageferry.core.codec.PageBatch;
import java.util.function.LongConsumer;

/** Hands everything on to another sink, as a whole; a subclass changes what it has to. */
public abstract class PageSinkFilter implements PageSink {
    /** For subclasses. */
    protected PageSinkFilter() {
    }

    /** {@return the other sink, asked for anew by each call} */
    protected abstract PageSink sink();

    @Override
    public PageBatch claim() {
        return sink().claim();
    }

    @Override
    public void commit(PageBatch batch) {
        sink().commit(batch);
    }

    @Override
    public void abandon(PageBatch batch) {
        sink().abandon(batch);
    }

    @Override
    public int unacknowledged() {
        return sink().unacknowledged();
    }

    @Override
    public boolean isTargetBehind() {
        return sink().isTargetBehind();
    }

    @Override
    public long[] lastSequences() {
        return sink().lastSequences();
    }

    @Override
    public long wireBytes() {
        return sink().wireBytes();
    }

    @Override
    public long reclaim(LongConsumer pages) {
        return sink().reclaim(pages);
    }
}
