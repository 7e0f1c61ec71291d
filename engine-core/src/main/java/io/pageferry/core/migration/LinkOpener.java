package io.pageferry.core.migration;

import io.pageferry.core.link.Link;
import java.util.Optional;

/** Reaches the target again after a link was lost, to ask what became of a grant. */
@FunctionalInterface
public interface LinkOpener {
    /**
     * Tries once. May wait for a second or two: it is only called while the guest is paused and
     * nothing else can be done.
     *
     * @return a fresh link on which nothing was sent, or empty when the target cannot be reached
     */
    Optional<Link> tryOpen();
}
