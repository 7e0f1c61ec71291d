package io.pageferry.core.testing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.image.ImageWriter;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.round.PageSink;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * A sink without a link: a committed batch is applied to an image at once, and its pages are noted.
 * Confined to one thread.
 */
public final class DirectSink implements PageSink, AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final PageBatch slot =
            new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY, Long.BYTES));
    private final ImageWriter writer;
    private final List<Long> pages = new ArrayList<>();
    private long sequence;
    private long bytes;

    /**
     * Makes one.
     *
     * @param image is written; stays the caller's
     */
    public DirectSink(PageStore image) {
        this.writer = new ImageWriter(image);
    }

    /** {@return the pages sent since the last call, in order} */
    public List<Long> takePages() {
        List<Long> taken = List.copyOf(pages);
        pages.clear();
        return taken;
    }

    @Override
    public PageBatch claim() {
        return slot;
    }

    @Override
    public void commit(PageBatch batch) {
        for (int i = 0; i < batch.count(); i++) {
            pages.add(PageBatch.pageOf(batch.descriptorAt(i)));
        }
        bytes += batch.payloadBytes();
        sequence++;
        try {
            writer.apply(batch);
        } catch (PageDecodeException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void abandon(PageBatch batch) {
        // there is only this one
    }

    @Override
    public int unacknowledged() {
        return 0;
    }

    @Override
    public long[] lastSequences() {
        return new long[] {sequence};
    }

    @Override
    public long wireBytes() {
        return bytes;
    }

    @Override
    public long reclaim(LongConsumer consumer) {
        return 0;
    }

    /** Frees its slot. */
    @Override
    public void close() {
        writer.close();
        arena.close();
    }
}
