package io.pageferry.core.codec.page;

import java.nio.ByteBuffer;

/** The page as it is. */
public final class RawCodec implements PageCodec {
    /** Makes the codec; it has no state. */
    public RawCodec() {
    }

    @Override
    public int id() {
        return RAW;
    }

    @Override
    public int encode(ByteBuffer page, int pageAt, ByteBuffer out, int outAt) {
        out.put(outAt, page, pageAt, PAGE);
        return PAGE;
    }

    @Override
    public void decode(ByteBuffer in, int inAt, int length, ByteBuffer page, int pageAt)
            throws PageDecodeException {
        if (length != PAGE) {
            throw new PageDecodeException("raw page of " + length + " bytes");
        }
        page.put(pageAt, in, inAt, PAGE);
    }
}
