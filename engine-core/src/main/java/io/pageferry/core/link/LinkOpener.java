package io.pageferry.core.link;

import java.util.Optional;

/** Reaches the target again after a link was lost: to ask what became of a grant, or to go on. */
@FunctionalInterface
public interface LinkOpener {
    /**
     * Tries once. May wait for a second or two: it is only called while the guest is paused and
     * nothing else can be done.
     *
     * @return a fresh link on which nothing was sent, or empty when the target cannot be reached
     */
    Optional<Link> tryOpen();

    /**
     * Begins to open a link for pages, and never waits: messages may be sent at once and go out
     * when the target is reached; where it is not, the link is lost.
     *
     * @return a fresh link, now the caller's to poll and close, or empty when this opener knows
     *         no way for pages
     */
    default Optional<SourceLink> beginOpen() {
        return Optional.empty();
    }
}
