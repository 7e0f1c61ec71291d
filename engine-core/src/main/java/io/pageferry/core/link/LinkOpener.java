package io.pageferry.core.link;

import java.util.Optional;

/** Reaches the target again after a link was lost: to ask what became of a grant, or to go on. */
@FunctionalInterface
public interface LinkOpener {
    /**
     * Begins to open a link, and never waits: messages may be sent at once and go out when the
     * target is reached; where it is not, the link is lost.
     *
     * @return a fresh link, now the caller's to poll and close, or empty when there is none now
     */
    Optional<SourceLink> beginOpen();
}
