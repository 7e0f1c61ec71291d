package io.pageferry.core.link;

import io.pageferry.core.words.Labelled;

/**
 * Why a migration ended before its time, with the code on the wire. Numbers are never reused;
 * 0 is invalid.
 */
public enum ErrorCode implements Labelled {
    /** The peer speaks no version that we speak. */
    VERSION_MISMATCH(1),
    /** A frame or message broke the protocol. */
    PROTOCOL_VIOLATION(2),
    /** A checksum did not match. */
    CORRUPT_FRAME(3),
    /** The target cannot take this guest: other shape, other options. */
    GUEST_MISMATCH(4),
    /** Too little memory or disk at the target. */
    NO_ROOM(5),
    /** The target is busy with another migration. */
    BUSY(6),
    /** A feature that one side demands is unknown to the other. */
    FEATURE_MISSING(7),
    /** The image differs from what was sent. */
    DIGEST_MISMATCH(8),
    /** The guest could not be paused, saved, loaded or resumed. */
    GUEST_FAILED(9),
    /** The guest ended by itself. */
    GUEST_ENDED(10),
    /** A limit in time was passed. */
    DEADLINE(11),
    /** The migration was cancelled on request. */
    CANCELLED(12),
    /** The other side cannot be reached any more. */
    LINK_LOST(13),
    /** Pre-copy did not converge and the operator chose to abort then. */
    NOT_CONVERGING(14),
    /** The host refused something: a system call, a file, a permission. */
    HOST_FAILED(15),
    /** A bug. */
    INTERNAL(16),
    /** The guest's memory at the source is not what the target has. */
    AUDIT(17);

    private final int code;

    ErrorCode(int code) {
        this.code = code;
    }

    /** {@return the number on the wire, 1 … 65535} */
    public int code() {
        return code;
    }

    /**
     * Finds a code.
     *
     * @param code as on the wire
     * @return its constant, {@link #PROTOCOL_VIOLATION} for a number that we do not know
     */
    public static ErrorCode of(int code) {
        for (ErrorCode value : values()) {
            if (value.code == code) {
                return value;
            }
        }
        return PROTOCOL_VIOLATION;
    }
}
