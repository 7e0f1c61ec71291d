package io.pageferry.core.codec.page;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A page as what changed since it was sent before: the exclusive or of both, as LZ4. A page of
 * which little changed is mostly zeros then. Confined to one thread; offsets absolute.
 */
final class DeltaCodec {
    /** Of more than that the page alone, compressed, is likely to be less. */
    static final int MOST_BYTES = PageCodec.PAGE / 4;

    private final PageCodec lz4;
    private final ByteBuffer difference =
            ByteBuffer.allocateDirect(PageCodec.PAGE).order(ByteOrder.LITTLE_ENDIAN);

    /** Makes the codec over one of LZ4. */
    DeltaCodec(PageCodec lz4) {
        this.lz4 = lz4;
    }

    /**
     * Encodes a page.
     *
     * @param page   holds it
     * @param pageAt where it begins
     * @param base   holds what was sent before
     * @param baseAt where that begins
     * @param out    room for 4096 bytes from its offset 0, other memory
     * @return bytes written, 1 … {@link #MOST_BYTES}, or {@link PageCodec#NO_GAIN}
     */
    int encode(ByteBuffer page, int pageAt, ByteBuffer base, int baseAt, ByteBuffer out) {
        difference.put(0, page, pageAt, PageCodec.PAGE);
        toggle(difference, 0, base, baseAt);
        int length = lz4.encode(difference, 0, out, 0);
        return length > MOST_BYTES ? PageCodec.NO_GAIN : length;
    }

    /**
     * Decodes a page. Reads nothing outside {@code [inAt, inAt + length)} and the base, and writes
     * nothing outside the 4096 bytes of the page, whatever the input.
     *
     * @param in     holds the encoded bytes, as a peer sent them
     * @param inAt   where they begin
     * @param length how many there are
     * @param page   holds the base, and then the page
     * @param pageAt its offset there
     * @throws PageDecodeException when they are no difference; then the page is the base still
     */
    void decode(ByteBuffer in, int inAt, int length, ByteBuffer page, int pageAt)
            throws PageDecodeException {
        lz4.decode(in, inAt, length, difference, 0);
        toggle(page, pageAt, difference, 0);
    }

    /** By buffers: as segments, each word would cost a call where code is compiled in haste. */
    private static void toggle(ByteBuffer bits, int at, ByteBuffer by, int byAt) {
        for (int i = 0; i < PageCodec.PAGE; i += Long.BYTES) {
            bits.putLong(at + i, bits.getLong(at + i) ^ by.getLong(byAt + i));
        }
    }
}
