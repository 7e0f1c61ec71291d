package io.pageferry.transport.netty.io;

/**
 * What a connection still does in each direction. Pure; a connection's state belongs to its IO
 * thread.
 */
enum ConnectionState {
    /** The preambles are not exchanged yet: only ours may be sent. */
    OPENING,
    /** Each side proves that it knows the secret: no message yet but that, and FAILURE. */
    PROVING,
    /** Frames go both ways. */
    READY,
    /** Our last frames are on their way to the socket; those of the peer are still taken. */
    LINGERING,
    /** The output ended; frames of the peer are still taken. */
    RECEIVING,
    /** Our last frames are on their way to the socket; what comes is dropped. */
    FINISHING,
    /** The output ended; what comes is dropped until the peer closes. */
    NOT_READING,
    /** Our last frames are on their way to the socket; nothing comes any more. */
    CLOSING,
    /** Closed, or about to be. */
    ENDED;

    /** {@return whether the listener still receives what comes, and the end} */
    boolean isHeard() {
        return isOutputOpen() || this == LINGERING || this == RECEIVING;
    }

    /** {@return whether the end of the output has not begun} */
    boolean isOutputOpen() {
        return this == OPENING || this == PROVING || this == READY;
    }

    /**
     * Returns whether a frame may be sent now; after the end of the output has begun it is too
     * late, which happens and does no harm.
     *
     * @param frame names it
     * @return false when it is dropped
     * @throws IllegalStateException before messages may be sent
     */
    boolean sends(String frame) {
        if (this == OPENING || this == PROVING) {
            throw new IllegalStateException(frame + " cannot be sent while " + this);
        }
        return this == READY;
    }

    /**
     * Returns what follows when preambles were exchanged.
     *
     * @param ready whether messages may follow, for there is no secret to prove
     * @return the state
     */
    ConnectionState opened(boolean ready) {
        if (this != OPENING) {
            throw new IllegalStateException("a preamble while " + this);
        }
        return ready ? READY : PROVING;
    }

    /**
     * Returns what follows when a part of the proofs came.
     *
     * @param ready whether it was the last one
     * @return the state
     */
    ConnectionState proved(boolean ready) {
        if (this != PROVING) {
            throw new IllegalStateException("a proof while " + this);
        }
        return ready ? READY : PROVING;
    }

    /** {@return what follows when this side sends its last, and still reads} */
    ConnectionState linger() {
        return this == READY ? LINGERING : isOutputOpen() ? FINISHING : this;
    }

    /** {@return what follows when this side sends its last, and reads nothing any more} */
    ConnectionState finish() {
        return switch (this) {
            case OPENING, PROVING, READY, LINGERING -> FINISHING;
            case RECEIVING -> NOT_READING;
            default -> this;
        };
    }

    /** {@return what follows when our last frame was given to the socket} */
    ConnectionState flushed() {
        return switch (this) {
            case LINGERING -> RECEIVING;
            case FINISHING -> NOT_READING;
            case CLOSING, ENDED -> ENDED;
            default -> throw new IllegalStateException("a last frame was sent while " + this);
        };
    }

    /** {@return what follows when the peer's output ended} */
    ConnectionState inputEnded() {
        return switch (this) {
            // The peer may only have half-closed: our last frames still go out.
            case OPENING, PROVING, READY, LINGERING, FINISHING, CLOSING -> CLOSING;
            case RECEIVING, NOT_READING, ENDED -> ENDED;
        };
    }
}
