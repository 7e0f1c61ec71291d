package io.pageferry.core.migration;

import io.pageferry.core.link.ErrorCode;
import java.io.IOException;

/** A guest could not do what was asked of it. */
public final class GuestException extends IOException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final String remedy;
    private boolean mayRetry;
    private boolean neverRan;
    private boolean silent;

    /**
     * Makes the exception.
     *
     * @param code    its class
     * @param message what failed and why
     * @param remedy  what to do about it, or an empty string
     */
    public GuestException(ErrorCode code, String message, String remedy) {
        super(message);
        this.code = code;
        this.remedy = remedy;
    }

    /**
     * Marks that the same call may succeed later: another process holds a lock.
     *
     * @return this
     */
    public GuestException retryable() {
        mayRetry = true;
        return this;
    }

    /**
     * Marks that the guest provably did not execute one instruction since it was loaded or its
     * state saved. An {@link IncomingGuest} has ended it by then.
     *
     * @return this
     */
    public GuestException provablyNeverRan() {
        neverRan = true;
        return this;
    }

    /**
     * Marks that the guest is there and does not answer, because what it waits for itself does not:
     * storage, above all. It may answer at any time, and the same call succeed then.
     *
     * @return this
     */
    public GuestException silent() {
        silent = true;
        mayRetry = true;
        return this;
    }

    /** {@return its class} */
    public ErrorCode code() {
        return code;
    }

    /** {@return what to do about it, or an empty string} */
    public String remedy() {
        return remedy;
    }

    /** {@return whether the same call may succeed later} */
    public boolean mayRetry() {
        return mayRetry;
    }

    /** {@return whether the guest does not answer} */
    public boolean isSilent() {
        return silent;
    }

    /** {@return whether the guest provably never ran} */
    public boolean neverRan() {
        return neverRan;
    }
}
