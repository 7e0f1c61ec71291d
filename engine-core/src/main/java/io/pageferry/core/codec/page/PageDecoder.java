package io.pageferry.core.codec.page;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.PagedMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Decodes pages of received batches beside the image, so that bytes that are no page never reach
 * it. A raw page of the right length needs no decoder. Confined to one thread.
 */
public final class PageDecoder {
    private final PageCodec raw = new RawCodec();
    private final PageCodec lz4 = new Lz4Codec();
    private final ByteBuffer pages =
            ByteBuffer.allocateDirect(PagedMemory.RUN_PAGES * PageCodec.PAGE);
    private final MemorySegment pageMemory = MemorySegment.ofBuffer(pages);

    /** Makes a decoder. */
    public PageDecoder() {
    }

    /**
     * Decodes a page that is not {@link PageCodec#ZERO} into its place in {@link #pages}.
     *
     * @param batch      received and verified
     * @param at         where its encoded bytes begin in the payload
     * @param descriptor of the page, its codec unchecked; {@code at} and its length are in the
     *                   payload
     * @param index      its place, 0 … {@link PagedMemory#RUN_PAGES} − 1
     * @throws PageDecodeException when the bytes are no page
     */
    public void decode(PageBatch batch, int at, long descriptor, int index)
            throws PageDecodeException {
        int length = PageBatch.lengthOf(descriptor);
        int codec = PageBatch.codecOf(descriptor);
        PageCodec by = switch (codec) {
            case PageCodec.RAW -> raw;
            case PageCodec.LZ4 -> lz4;
            default -> throw new PageDecodeException("unknown codec " + codec);
        };
        by.decode(batch.payloadBuffer(), at, length, pages, index * PageCodec.PAGE);
    }

    /** {@return what was decoded, page after page, each until its place is taken by another} */
    public MemorySegment pages() {
        return pageMemory;
    }
}
