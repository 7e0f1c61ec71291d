package io.pageferry.agent.host.machine.adapt;

import java.io.IOException;

/** What was adapted could not be written into the disk, part of which may be written. */
public final class CommitException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception.
     *
     * @param message what failed, and the command that ends it well
     * @param cause   of it
     */
    CommitException(String message, IOException cause) {
        super(message, cause);
    }
}
