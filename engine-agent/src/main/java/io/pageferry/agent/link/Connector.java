package io.pageferry.agent.link;

import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.SourceLink;
import io.pageferry.transport.TransportException;
import java.util.Optional;

/** The way from a source to its target. */
public interface Connector {
    /** {@return where it leads, as journals name it} */
    String peer();

    /** {@return what carries the bytes, as reports name it} */
    String transport();

    /** {@return whether it speaks TLS} */
    default boolean tls() {
        return false;
    }

    /**
     * Begins to use it.
     *
     * @return opens links, any number one after another; the caller's to close, after them
     */
    Access open();

    /** A connector in use. */
    interface Access extends LinkOpener, AutoCloseable {
        /**
         * Opens the first link. May wait for seconds: no guest waits yet.
         *
         * @return the link, up, now the caller's to poll and close
         * @throws TransportException when the target is not reached, and why
         */
        SourceLink connect() throws TransportException;

        /** {@return one line that is to be logged, once; empty where there is none} */
        default Optional<String> notice() {
            return Optional.empty();
        }

        /** Ends what is still open. Idempotent. */
        @Override
        void close();
    }
}
