package io.pageferry.agent.cli.option;

/** The command line makes no sense: exit 2, one line. */
public final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception.
     *
     * @param message one line
     */
    public UsageException(String message) {
        super(message);
    }
}
