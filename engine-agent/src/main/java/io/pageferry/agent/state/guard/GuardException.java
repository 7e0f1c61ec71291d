package io.pageferry.agent.state.guard;

import java.io.IOException;

/** There is no guard process, or it is not there any more. */
public final class GuardException extends IOException {
    private static final long serialVersionUID = 1;

    GuardException(String message) {
        super(message);
    }

    /** {@return what to do about it} */
    public String remedy() {
        return "look at what it said, at memory, processor time and the number of processes that"
                + " are allowed, and at PAGEFERRY_OPTS";
    }

    /** {@return all of it in one line} */
    public String line() {
        return getMessage() + "; " + remedy();
    }
}
