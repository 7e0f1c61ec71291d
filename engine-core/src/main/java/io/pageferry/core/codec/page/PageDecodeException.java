package io.pageferry.core.codec.page;

import java.io.IOException;

/** Bytes of a peer that are no page. Nothing was written to the image for that page. */
public final class PageDecodeException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception.
     *
     * @param message which codec, which length, what is wrong
     */
    public PageDecodeException(String message) {
        super(message);
    }
}
