package io.pageferry.core.codec.page;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** A page of zeros takes no payload. */
public final class ZeroCodec implements PageCodec {
    private static final MemorySegment ZEROS = Arena.global().allocate(PAGE);
    private static final ByteBuffer ZERO_BUFFER = ZEROS.asByteBuffer().asReadOnlyBuffer();

    /** Makes the codec; it has no state. */
    public ZeroCodec() {
    }

    /**
     * Tests for zeros. 15 to 20 GiB/s on one core of 2020: a vectorised compare.
     *
     * @param memory any memory
     * @param offset where the page begins
     * @return whether the 4096 bytes from there are all zero
     */
    public static boolean isZero(MemorySegment memory, long offset) {
        return MemorySegment.mismatch(memory, offset, offset + PAGE, ZEROS, 0, PAGE) == -1;
    }

    @Override
    public int id() {
        return ZERO;
    }

    @Override
    public int encode(ByteBuffer page, int pageAt, ByteBuffer out, int outAt) {
        // Not as a segment, which would be an object for each page.
        for (int at = pageAt; at < pageAt + PAGE; at += Long.BYTES) {
            if (page.getLong(at) != 0) {
                return NO_GAIN;
            }
        }
        return 0;
    }

    @Override
    public void decode(ByteBuffer in, int inAt, int length, ByteBuffer page, int pageAt)
            throws PageDecodeException {
        if (length != 0) {
            throw new PageDecodeException("zero page with a payload of " + length + " bytes");
        }
        page.put(pageAt, ZERO_BUFFER, 0, PAGE);
    }
}
