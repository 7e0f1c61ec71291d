package io.pageferry.core.image;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.codec.page.PageDecoder;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.RegionTable;

/**
 * Applies received batches to the image. Confined to one thread. It notes which pages it wrote;
 * the {@link ImageWalker} reads them back on an address path of its own.
 */
public final class ImageWriter implements AutoCloseable {
    private final PageStore image;
    private final RegionTable regions;
    private final PageDecoder decoder = new PageDecoder();
    private final DirtyBitmap fresh;
    private final DirtyBitmap written;
    private final long[] pagesByCodec = new long[PageCodec.LZ4 + 1];

    /**
     * Makes a writer.
     *
     * @param image receives the pages; stays the caller's
     */
    public ImageWriter(PageStore image) {
        this.image = image;
        this.regions = image.regions();
        this.fresh = new DirtyBitmap(regions.pageCount());
        this.written = new DirtyBitmap(regions.pageCount());
    }

    /**
     * Writes every page of a batch.
     *
     * @param batch verified: its lengths add up to its payload
     * @throws PageDecodeException when a page is outside the batch's region or its bytes are no
     *                             page; pages before it were written, it and those after not
     */
    public void apply(PageBatch batch) throws PageDecodeException {
        int region = batch.region();
        if (region < 0 || region >= regions.regions().size()) {
            throw new PageDecodeException("batch for region " + region + " of "
                    + regions.regions().size());
        }
        int at = 0;
        for (int i = 0; i < batch.count(); i++) {
            long descriptor = batch.descriptorAt(i);
            long page = PageBatch.pageOf(descriptor);
            int length = PageBatch.lengthOf(descriptor);
            if (page < regions.firstPage(region) || page >= regions.endPage(region)) {
                throw new PageDecodeException("page " + page + " is not in region " + region);
            }
            write(batch, at, descriptor);
            at += length;
        }
    }

    /**
     * Hands over what was written since the last call.
     *
     * @param into receives marks
     */
    public void harvestFresh(DirtyBitmap into) {
        fresh.harvestInto(into);
    }

    /**
     * Tells whether a page was written since it was last verified or handed over.
     *
     * @param page global index
     * @return whether {@link #harvestFresh} would hand it over
     */
    public boolean isUnverified(long page) {
        return fresh.isMarked(page);
    }

    /**
     * Takes a page out of what {@link #harvestFresh} would hand over.
     *
     * @param page global index
     */
    public void verified(long page) {
        fresh.clear(page);
    }

    /**
     * Tells whether a page was ever written here.
     *
     * @param page global index
     * @return true once it was
     */
    public boolean wasWritten(long page) {
        return written.isMarked(page);
    }

    /**
     * Counts the pages that came in one codec.
     *
     * @param codec a codec id
     * @return pages written that came by that codec
     */
    public long pagesBy(int codec) {
        return pagesByCodec[codec];
    }

    /** Frees the bitmaps. Idempotent. */
    @Override
    public void close() {
        fresh.close();
        written.close();
    }

    private void write(PageBatch batch, int at, long descriptor) throws PageDecodeException {
        long page = PageBatch.pageOf(descriptor);
        int codec = PageBatch.codecOf(descriptor);
        int length = PageBatch.lengthOf(descriptor);
        if (codec == PageCodec.ZERO) {
            if (length != 0) {
                throw new PageDecodeException("zero page with a payload of " + length + " bytes");
            }
            image.clear(page, 1);
        } else if (codec == PageCodec.RAW && length == PageCodec.PAGE) {
            image.put(page, 1, batch.payload(), at);
        } else {
            image.put(page, 1, decoder.decode(batch, at, codec, length), 0);
        }
        pagesByCodec[codec]++;
        fresh.mark(page);
        written.mark(page);
    }
}
