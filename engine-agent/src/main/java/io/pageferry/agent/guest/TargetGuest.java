package io.pageferry.agent.guest;

import io.pageferry.core.migration.IncomingGuest;
import java.util.Map;
import java.util.Optional;

/** A guest at the target as its agent sees it. */
public interface TargetGuest extends IncomingGuest {
    /**
     * Names it on this host: two migrations into one guest have the same identity.
     *
     * @return for example the real path of its monitor
     */
    String identity();

    /**
     * Tells how a guard reaches it once the agent is gone.
     *
     * @return for {@link GuestKind#reach}; empty when it dies with the agent
     */
    Map<String, String> reach();

    /**
     * Says how the bytes of its disks come, before anything is offered.
     *
     * @param road of the source that may bring a guest
     */
    default void streamsOver(StreamRoad road) {
        // Most kinds have no disks.
    }

    /**
     * Tells whether it lives inside the agent, which then stays for it.
     *
     * @return true for an embedded guest
     */
    default boolean livesInAgent() {
        return false;
    }

    /**
     * Tells what the guest found out about itself.
     *
     * @return its self-check, or empty where there is none
     */
    default Optional<GuestCheck> check() {
        return Optional.empty();
    }
}
