package io.pageferry.agent.state.guard;

import java.io.IOException;

/** How an agent speaks to its guard, line by line. One thread. */
interface GuardChannel {
    /**
     * Sends a line.
     *
     * @param line without its end
     * @throws IOException when the guard is gone
     */
    void send(String line) throws IOException;

    /**
     * Returns the next line that is there, without a wait.
     *
     * @return a whole line, or null
     * @throws IOException when the guard is gone
     */
    String poll() throws IOException;

    /** {@return the process that the guard is in} */
    long pid();

    /** {@return whether it is there} */
    boolean isAlive();

    /** Says nothing more: the guard takes its agent for gone, where that said no farewell. */
    void end();

    /** Waits for the end of the guard, for so long at most; returns whether it ended. */
    boolean awaitEnd(long seconds);

    /** Ends the guard by force, where that is a process of its own. */
    void kill();

    /** Lets go of it. Idempotent. */
    void close();
}
