package io.pageferry.core.image;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.codec.page.PageDecoder;
import io.pageferry.core.codec.page.ZstdCodec;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.PagedMemory;

/**
 * Writes pages to the image in runs: as many as follow each other in guest and batch go there by
 * one call. Raw pages go from the frame as they lie there, decoded ones side by side from the
 * decoder's memory; a raw page behind a decoded one is copied there too, so that the run goes on.
 * Pages of a block of zstd wait for its last one, which has the bytes. Confined to one thread; has
 * memory until closed.
 */
final class RunWriter implements AutoCloseable {
    private final PageStore image;
    private final PageDecoder decoder = new PageDecoder();
    private PageBatch batch;
    private long first;
    private int count;
    /** How the pages of the run came; LZ4 stands for all that are beside each other decoded. */
    private int codec;
    /** Where the first page of a raw run lies in the payload. */
    private int payloadAt;
    /** Pages of the block of zstd whose bytes have not come yet. */
    private final long[] block = new long[ZstdCodec.BLOCK_PAGES];
    private int inBlock;

    RunWriter(PageStore image) {
        this.image = image;
    }

    /** Begins with a batch, whose payload stays where it is until {@link #flush}. */
    void begin(PageBatch of) {
        batch = of;
        inBlock = 0;
    }

    /**
     * Adds a page. Bytes that are none leave the image as it was there: reading back finds it.
     *
     * @param descriptor of a legal codec and length
     * @param reference  what it refers to, as its codec says
     * @param at         where its bytes begin in the payload
     * @throws PageDecodeException when more pages are in a block than can be
     */
    void add(long descriptor, int reference, int at) throws PageDecodeException {
        long page = PageBatch.pageOf(descriptor);
        int by = PageBatch.codecOf(descriptor);
        if (by == PageCodec.ZSTD) {
            addToBlock(page, at, PageBatch.lengthOf(descriptor));
            return;
        }
        boolean isDelta = by == PageCodec.DELTA;
        if (isDelta) {
            // Decoded beside the others.
            by = PageCodec.LZ4;
        }
        boolean goesOn = count > 0 && page == first + count && (by == codec
                || codec == PageCodec.LZ4 && by == PageCodec.RAW);
        if (!goesOn || codec != PageCodec.ZERO && count == PagedMemory.RUN_PAGES) {
            flush();
            first = page;
            codec = by;
            payloadAt = at;
        }
        if (codec != PageCodec.LZ4 || isDelta && isChanged(descriptor, reference, at)
                || !isDelta && isDecoded(descriptor, at)) {
            count++;
        }
    }

    /**
     * The same for a page that came as what changed of it. What is in the image may be another base
     * than the source's, or not be there yet: then the page stays as it is.
     */
    private boolean isChanged(long descriptor, int reference, int at) {
        long page = PageBatch.pageOf(descriptor);
        boolean there = (image.readsHoles() || image.nextData(page) == page)
                && image.read(page, 1, decoder.pages(), (long) count * PageCodec.PAGE) == 1
                && decoder.checksum(count) == reference;
        try {
            if (there) {
                decoder.applyDelta(batch, at, descriptor, count);
                return true;
            }
        } catch (PageDecodeException e) {
            // Damaged on its way.
        }
        flush();
        return false;
    }

    private void addToBlock(long page, int at, int length) throws PageDecodeException {
        if (inBlock == block.length) {
            throw new PageDecodeException("a zstd block of more than " + block.length + " pages");
        }
        block[inBlock++] = page;
        if (length == 0) {
            return;
        }
        flush();
        int pages = inBlock;
        inBlock = 0;
        try {
            decoder.decodeBlock(batch, at, length, pages);
        } catch (PageDecodeException e) {
            // Damaged on its way: its pages stay as they were, and reading back finds them.
            return;
        }
        for (int from = 0; from < pages;) {
            int to = from + 1;
            while (to < pages && block[to] == block[to - 1] + 1) {
                to++;
            }
            image.put(block[from], to - from, decoder.pages(), (long) from * PageCodec.PAGE);
            from = to;
        }
    }

    /**
     * Checks that the batch ended no block in its middle.
     *
     * @throws PageDecodeException when one has no bytes
     */
    void requireNoOpenBlock() throws PageDecodeException {
        if (inBlock > 0) {
            throw new PageDecodeException("a zstd block of " + inBlock + " pages without bytes");
        }
    }

    /** Puts a page behind the run; a run that was ended here begins anew with the next page. */
    private boolean isDecoded(long descriptor, int at) {
        try {
            decoder.decode(batch, at, descriptor, count);
            return true;
        } catch (PageDecodeException e) {
            flush();
            return false;
        }
    }

    /** Writes what was added and is not in the image yet. */
    void flush() {
        int pages = count;
        count = 0;
        if (pages == 0) {
            return;
        }
        if (codec == PageCodec.ZERO) {
            image.clear(first, pages);
        } else if (codec == PageCodec.RAW) {
            image.put(first, pages, batch.payload(), payloadAt);
        } else {
            image.put(first, pages, decoder.pages(), 0);
        }
    }

    @Override
    public void close() {
        decoder.close();
    }
}
