package io.pageferry.agent.link;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.SourceLink;
import io.pageferry.transport.TransportException;
import java.util.Objects;
import java.util.Optional;

/**
 * By links that somebody else opens: an embedder, or who has both sides in one process.
 *
 * @param peer      where they lead, in that one's words
 * @param opener    that one's; never closed here
 * @param transport what carries the bytes, as reports name it
 */
public record EmbeddedConnector(String peer, LinkOpener opener, String transport)
        implements Connector {
    static final String NAME = "own";

    /** Checks that there is one. */
    public EmbeddedConnector {
        Objects.requireNonNull(peer, "peer");
        Objects.requireNonNull(opener, "opener");
        Objects.requireNonNull(transport, "transport");
    }

    /**
     * By an embedder's links.
     *
     * @param peer   where they lead
     * @param opener the embedder's
     */
    public EmbeddedConnector(String peer, LinkOpener opener) {
        this(peer, opener, NAME);
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
