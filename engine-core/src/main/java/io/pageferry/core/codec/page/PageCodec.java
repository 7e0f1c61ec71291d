package io.pageferry.core.codec.page;

import io.pageferry.core.memory.PageGeometry;
import java.nio.ByteBuffer;

/**
 * One way to write a page. Stateless towards its user and confined to one thread; buffers are
 * direct, offsets absolute, positions and limits untouched.
 */
public sealed interface PageCodec permits ZeroCodec, RawCodec, Lz4Codec {
    /** Id of {@link ZeroCodec} in a descriptor; 0 is invalid. */
    int ZERO = 1;

    /** Id of {@link RawCodec}. */
    int RAW = 2;

    /** Id of {@link Lz4Codec}. */
    int LZ4 = 3;

    /** Id of pages that are sent as what changed since they were sent before. */
    int DELTA = 4;

    /**
     * Id of pages of a block of {@link ZstdCodec}: the last of them has its bytes, the others have
     * none. 5 is kept: docs/PROTOCOL.md §8.
     */
    int ZSTD = 6;

    /** Highest id. */
    int HIGHEST = ZSTD;

    /** Answer of {@link #encode} when the page does not get smaller by this codec. */
    int NO_GAIN = -1;

    /** Bytes of every decoded page. */
    int PAGE = PageGeometry.PAGE_SIZE;

    /**
     * Names the codec on the wire.
     *
     * @return its id, 1 … 255
     */
    int id();

    /**
     * Encodes one page.
     *
     * @param page     holds the page
     * @param pageAt   its offset there
     * @param out      room for at least 4096 bytes, another memory than {@code page}
     * @param outAt    where to write
     * @return bytes written, 0 … 4096, or {@link #NO_GAIN}; then {@code out} holds rubbish
     */
    int encode(ByteBuffer page, int pageAt, ByteBuffer out, int outAt);

    /**
     * Decodes one page. Reads no byte outside {@code [inAt, inAt + length)} and writes none
     * outside the 4096 of the page, whatever the input.
     *
     * @param in     holds the encoded bytes, as a peer sent them
     * @param inAt   where they begin
     * @param length how many there are, 0 … 4096
     * @param page   receives the page
     * @param pageAt its offset there
     * @throws PageDecodeException when they are no page
     */
    void decode(ByteBuffer in, int inAt, int length, ByteBuffer page, int pageAt)
            throws PageDecodeException;
}
