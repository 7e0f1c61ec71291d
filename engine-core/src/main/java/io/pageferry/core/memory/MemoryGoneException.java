package io.pageferry.core.memory;

import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Says that a guest ended, and its memory with it: memory that is not in a file, but its process's
 * own. At the source nothing is left to be moved then.
 */
public final class MemoryGoneException extends UncheckedIOException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception.
     *
     * @param what  who ended, for people
     * @param cause how that was noticed
     */
    public MemoryGoneException(String what, IOException cause) {
        super(new IOException(what, cause));
    }
}
