package io.pageferry.transport;

import io.pageferry.core.link.ErrorCode;
import java.io.IOException;

/** A link could not be opened, or an address not be listened on. */
public final class TransportException extends IOException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;

    /**
     * Makes the exception.
     *
     * @param code    what kind of failure
     * @param message what failed and why, one line
     * @param cause   the reason below, or null
     */
    public TransportException(ErrorCode code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** {@return {@link ErrorCode#LINK_LOST} when the peer was not reached, else what it broke} */
    public ErrorCode code() {
        return code;
    }
}
