package io.pageferry.agent.cli;

/** The command line makes no sense: exit 2, one line. */
final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message);
    }
}
