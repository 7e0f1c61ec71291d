package io.pageferry.agent.link;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.SourceLink;
import io.pageferry.transport.TransportException;
import java.util.Objects;
import java.util.Optional;

/**
 * By links that an embedder opens.
 *
 * @param peer   where they lead, in the embedder's words
 * @param opener the embedder's, never closed here
 */
public record EmbeddedConnector(String peer, LinkOpener opener) implements Connector {
    static final String NAME = "own";

    /** Checks that there is one. */
    public EmbeddedConnector {
        Objects.requireNonNull(peer, "peer");
        Objects.requireNonNull(opener, "opener");
    }

    @Override
    public String transport() {
        return NAME;
    }

    @Override
    public Access open() {
        return new Own();
    }

    private final class Own implements Access {
        @Override
        public SourceLink connect() throws TransportException {
            return opener.beginOpen().orElseThrow(() -> new TransportException(
                    ErrorCode.LINK_LOST, peer + ": the embedder's transport opens no link", null));
        }

        @Override
        public Optional<SourceLink> beginOpen() {
            return opener.beginOpen();
        }

        @Override
        public void close() {
            // Each link is closed by its user; the opener is the embedder's.
        }
    }
}
