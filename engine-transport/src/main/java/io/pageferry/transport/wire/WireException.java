package io.pageferry.transport.wire;

import io.pageferry.core.link.ErrorCode;

/**
 * The peer's bytes broke the protocol. Names the field and why, and the code to answer with. Made
 * without a stack trace: it reports a fault of the peer, not of our code.
 */
public final class WireException extends Exception {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final String field;

    /**
     * Makes the exception.
     *
     * @param code  is sent to the peer
     * @param field what was wrong, as docs/PROTOCOL.md names it
     * @param why   what was found and what is allowed
     */
    public WireException(ErrorCode code, String field, String why) {
        super(field + ": " + why, null, false, false);
        this.code = code;
        this.field = field;
    }

    static WireException violation(String field, String why) {
        return new WireException(ErrorCode.PROTOCOL_VIOLATION, field, why);
    }

    static WireException corrupt(String field, int expected, int found) {
        return new WireException(ErrorCode.CORRUPT_FRAME, field,
                String.format("says %08x, the bytes have %08x", expected, found));
    }

    /** {@return what to send the peer} */
    public ErrorCode code() {
        return code;
    }

    /** {@return the field that was wrong} */
    public String field() {
        return field;
    }
}
