package io.pageferry.agent.cli.option;

import java.time.Duration;

/** A command that Ctrl-C and SIGTERM end well. */
public interface Cancellable {
    /** Has it end soon, with everything undone that it began. Any thread, at any time. */
    void cancel();

    /**
     * Tells how long it may take from {@link #cancel} to its end. The process ends then, whatever
     * it does. Any thread.
     *
     * @param usual of commands
     * @return it; longer where it is in what cannot be cut off
     */
    default Duration longestStop(Duration usual) {
        return usual;
    }
}
