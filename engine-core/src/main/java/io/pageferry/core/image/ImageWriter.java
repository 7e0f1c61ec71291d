package io.pageferry.core.image;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.codec.page.ZstdCodec;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.RegionTable;

/**
 * Applies received batches to the image. What it puts there is not proved: it notes each page with
 * the checksum that the batch's directory gives it, and the page counts for nothing until the
 * {@link ImageWalker} read it back and found that checksum. Confined to one thread.
 */
public final class ImageWriter implements AutoCloseable {
    private final RegionTable regions;
    private final RunWriter run;
    private final DirtyBitmap fresh;
    private final DirtyBitmap written;
    private final DirtyBitmap zeros;
    private final ChecksumTable sums;
    private final boolean zstd;
    private final boolean delta;
    private long pages;
    /** No page before it is fresh: it is asked for the first one in each turn. */
    private long noneBefore;

    /**
     * Makes a writer of all codecs that there are.
     *
     * @param image receives the pages; stays the caller's
     */
    public ImageWriter(PageStore image) {
        this(image, Message.CODEC_FEATURES);
    }

    /**
     * Makes a writer of what was agreed on.
     *
     * @param image    receives the pages; stays the caller's
     * @param features bits of WELCOME; codecs that are not among them are refused
     */
    public ImageWriter(PageStore image, long features) {
        this.zstd = (features & Message.FEATURE_ZSTD) != 0 && ZstdCodec.isAvailable();
        this.delta = (features & Message.FEATURE_DELTA) != 0;
        this.regions = image.regions();
        this.run = new RunWriter(image);
        this.fresh = new DirtyBitmap(regions.pageCount());
        this.written = new DirtyBitmap(regions.pageCount());
        this.zeros = new DirtyBitmap(regions.pageCount());
        this.sums = new ChecksumTable(regions.pageCount());
    }

    /**
     * Writes every page of a batch.
     *
     * @param batch of a verified directory: its lengths add up to its payload. The payload may be
     *              damaged; a block that cannot be decoded for that leaves its page as it was, and
     *              reading back finds it
     * @throws PageDecodeException when the directory names a page outside the batch's region, an
     *                             unknown codec, a length that the codec cannot have, or a block
     *                             without an end; pages before it were written, it and those after
     *                             not
     */
    public void apply(PageBatch batch) throws PageDecodeException {
        int region = batch.region();
        if (region < 0 || region >= regions.regions().size()) {
            throw new PageDecodeException("batch for region " + region + " of "
                    + regions.regions().size());
        }
        run.begin(batch);
        try {
            write(batch, region);
        } finally {
            run.flush();
        }
        run.requireNoOpenBlock();
    }

    private void write(PageBatch batch, int region) throws PageDecodeException {
        int at = 0;
        for (int i = 0; i < batch.count(); i++) {
            long descriptor = batch.descriptorAt(i);
            long page = PageBatch.pageOf(descriptor);
            int length = PageBatch.lengthOf(descriptor);
            if (page < regions.firstPage(region) || page >= regions.endPage(region)) {
                throw new PageDecodeException("page " + page + " is not in region " + region);
            }
            int codec = PageBatch.codecOf(descriptor);
            requireLegal(codec, length);
            run.add(descriptor, batch.referenceAt(i), at);
            pages++;
            sums.set(page, batch.checksumAt(i));
            fresh.mark(page);
            noneBefore = Math.min(noneBefore, page);
            written.mark(page);
            if (codec == PageCodec.ZERO) {
                zeros.mark(page);
            } else {
                zeros.clear(page);
            }
            at += length;
        }
    }

    /**
     * Finds a page that was written and not verified since.
     *
     * @param from global index to begin with
     * @return the first such page, or pageCount when there is none
     */
    public long nextUnverified(long from) {
        long next = fresh.nextMarked(Math.max(from, noneBefore));
        if (from <= noneBefore) {
            noneBefore = next;
        }
        return next;
    }

    /**
     * Returns whether a page was written since it was last verified.
     *
     * @param page global index
     * @return true until {@link #verified}
     */
    public boolean isUnverified(long page) {
        return fresh.isMarked(page);
    }

    /**
     * Notes that a page was read back, whatever was found.
     *
     * @param page global index
     */
    public void verified(long page) {
        fresh.clear(page);
    }

    /**
     * Returns whether a page was ever written here.
     *
     * @param page global index
     * @return true once it was
     */
    public boolean wasWritten(long page) {
        return written.isMarked(page);
    }

    /**
     * Returns whether a page came as zeros last. Its checksum does not tell: one in 2^32
     * other contents has the one of zeros, {@code f1 76 ec 05 01} and zeros among them.
     *
     * @param page global index
     * @return true from a zero on until another content is written
     */
    public boolean isZero(long page) {
        return zeros.isMarked(page);
    }

    /** {@return pages written so far, each as often as it came} */
    public long pages() {
        return pages;
    }

    /** Frees bitmaps and table. Idempotent. */
    @Override
    public void close() {
        run.close();
        fresh.close();
        written.close();
        zeros.close();
        sums.close();
    }

    /** The checksums of all pages: what directories gave, and then what reading back found. */
    ChecksumTable sums() {
        return sums;
    }

    private void requireLegal(int codec, int length) throws PageDecodeException {
        boolean legal = switch (codec) {
            case PageCodec.ZERO -> length == 0;
            case PageCodec.RAW -> length == PageCodec.PAGE;
            case PageCodec.LZ4 -> length > 0 && length < PageCodec.PAGE;
            case PageCodec.DELTA -> delta && length > 0 && length < PageCodec.PAGE;
            case PageCodec.ZSTD -> zstd;
            default -> throw new PageDecodeException("unknown codec " + codec);
        };
        if (!legal) {
            throw new PageDecodeException("a page of " + length + " bytes in codec " + codec);
        }
    }
}
