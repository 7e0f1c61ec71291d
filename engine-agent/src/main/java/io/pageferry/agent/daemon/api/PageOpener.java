package io.pageferry.agent.daemon.api;

import java.io.IOException;

/** Lets browsers in. */
@FunctionalInterface
public interface PageOpener {
    /**
     * Gives an address for one browser, with the rights of who asks.
     *
     * @return its URL
     * @throws IOException with one line, where there is none
     */
    String open() throws IOException;
}
