package io.pageferry.core.codec.page;

import io.pageferry.core.codec.PageBatch;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Decodes pages of received batches beside the image, so that bytes that are no page never reach
 * it. A raw page of the right length needs no decoder. Confined to one thread.
 */
public final class PageDecoder {
    private final PageCodec raw = new RawCodec();
    private final PageCodec lz4 = new Lz4Codec();
    private final ByteBuffer page = ByteBuffer.allocateDirect(PageCodec.PAGE);
    private final MemorySegment pageMemory = MemorySegment.ofBuffer(page);

    /** Makes a decoder. */
    public PageDecoder() {
    }

    /**
     * Decodes a page that is not {@link PageCodec#ZERO} into memory.
     *
     * @param batch     received and verified
     * @param at        where its encoded bytes begin in the payload
     * @param codec     codec id of its descriptor, unchecked
     * @param length    encoded length of its descriptor; {@code at + length} is in the payload
     * @return the decoded page, 4096 bytes, valid until the next call
     * @throws PageDecodeException when the bytes are no page
     */
    public MemorySegment decode(PageBatch batch, int at, int codec, int length)
            throws PageDecodeException {
        switch (codec) {
            case PageCodec.RAW -> raw.decode(batch.payloadBuffer(), at, length, page);
            case PageCodec.LZ4 -> lz4.decode(batch.payloadBuffer(), at, length, page);
            default -> throw new PageDecodeException("unknown codec " + codec);
        }
        return pageMemory;
    }
}
