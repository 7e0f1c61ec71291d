package io.pageferry.core.link;

import java.util.Optional;

/** Where links of sources arrive at a target: what a listening socket is. */
@FunctionalInterface
public interface LinkAcceptor {
    /**
     * Returns the link that waits longest. Never waits; asked all the time, on the target's thread.
     *
     * @return a link whose first message is yet to be polled, now the caller's to poll and close;
     *         empty where there is none
     */
    Optional<TargetLink> accept();
}
