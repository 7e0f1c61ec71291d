package io.pageferry.agent.client;

import java.io.IOException;

/** The agent was asked to begin something, and nobody knows whether it did. */
public final class UnansweredException extends IOException {
    private static final long serialVersionUID = 1L;

    UnansweredException(IOException first, IOException second) {
        super("no answer, asked twice: " + first.getMessage() + ", then " + second.getMessage(),
                second);
        addSuppressed(first);
    }
}
