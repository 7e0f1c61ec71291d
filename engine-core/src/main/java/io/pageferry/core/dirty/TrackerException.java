package io.pageferry.core.dirty;

import java.io.IOException;

/** Tracking failed: what the tracker knew may be lost, so every page counts as dirty. */
public final class TrackerException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception.
     *
     * @param message what failed, why, what to do
     * @param cause   the reason below, or null
     */
    public TrackerException(String message, Throwable cause) {
        super(message, cause);
    }
}
