package io.pageferry.core.codec.page;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PagedMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Decodes pages of received batches beside the image, so that bytes that are no page never reach
 * it. A raw page of the right length needs no decoder. Confined to one thread; has memory until
 * closed.
 */
public final class PageDecoder implements AutoCloseable {
    private final PageCodec raw = new RawCodec();
    private final PageCodec lz4 = new Lz4Codec();
    private final DeltaCodec delta = new DeltaCodec(lz4);
    private final ZstdCodec zstd = new ZstdCodec();
    private final ByteBuffer pages =
            ByteBuffer.allocateDirect(PagedMemory.RUN_PAGES * PageCodec.PAGE);
    private final PageChecksum sums = new PageChecksum();
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

    /**
     * Makes a page of what changed of it.
     *
     * @param batch      received and verified
     * @param at         where its encoded bytes begin in the payload
     * @param descriptor of the page
     * @param index      its place, where its base is
     * @throws PageDecodeException when the bytes are no difference
     */
    public void applyDelta(PageBatch batch, int at, long descriptor, int index)
            throws PageDecodeException {
        delta.decode(batch.payloadBuffer(), at, PageBatch.lengthOf(descriptor), pageMemory,
                (long) index * PageCodec.PAGE);
    }

    /**
     * Sums what is in a place.
     *
     * @param index the place
     * @return CRC32C of its 4096 bytes
     */
    public int checksum(int index) {
        return sums.of(pages, index * PageCodec.PAGE);
    }

    /**
     * Decodes a block of zstd into the first places of {@link #pages}.
     *
     * @param batch  received and verified
     * @param at     where its bytes begin in the payload
     * @param length of them
     * @param count  pages that it has to hold, 1 … {@link ZstdCodec#BLOCK_PAGES}
     * @throws PageDecodeException when the bytes are no such block, or there is no zstd here
     */
    public void decodeBlock(PageBatch batch, int at, int length, int count)
            throws PageDecodeException {
        if (!ZstdCodec.isAvailable()) {
            throw new PageDecodeException("no zstd here");
        }
        zstd.decode(batch.payloadBuffer(), at, length, pages, count);
    }

    /** {@return what was decoded, page after page, each until its place is taken by another} */
    public MemorySegment pages() {
        return pageMemory;
    }

    /** Frees the memory. Idempotent. */
    @Override
    public void close() {
        zstd.close();
    }
}
