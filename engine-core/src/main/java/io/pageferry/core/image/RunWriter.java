package io.pageferry.core.image;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.codec.page.PageDecoder;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.PagedMemory;

/**
 * Writes pages to the image in runs: as many as follow each other in guest and batch go there by
 * one call. Raw pages go from the frame as they lie there, decoded ones side by side from the
 * decoder's memory; a raw page behind a decoded one is copied there too, so that the run goes on.
 * Confined to one thread.
 */
final class RunWriter {
    private final PageStore image;
    private final PageDecoder decoder = new PageDecoder();
    private PageBatch batch;
    private long first;
    private int count;
    /** How the pages of the run came; LZ4 also where raw pages among them were copied. */
    private int codec;
    /** Where the first page of a raw run lies in the payload. */
    private int payloadAt;

    RunWriter(PageStore image) {
        this.image = image;
    }

    /** Begins with a batch, whose payload stays where it is until {@link #flush}. */
    void begin(PageBatch of) {
        batch = of;
    }

    /**
     * Adds a page. Bytes that are none leave the image as it was there: reading back finds it.
     *
     * @param descriptor of a legal codec and length
     * @param at         where its bytes begin in the payload
     */
    void add(long descriptor, int at) {
        long page = PageBatch.pageOf(descriptor);
        int by = PageBatch.codecOf(descriptor);
        boolean goesOn = count > 0 && page == first + count && (by == codec
                || codec == PageCodec.LZ4 && by == PageCodec.RAW);
        if (!goesOn || codec != PageCodec.ZERO && count == PagedMemory.RUN_PAGES) {
            flush();
            first = page;
            codec = by;
            payloadAt = at;
        }
        if (codec != PageCodec.LZ4 || isDecoded(descriptor, at)) {
            count++;
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
}
