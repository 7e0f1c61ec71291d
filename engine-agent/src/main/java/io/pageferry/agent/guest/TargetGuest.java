package io.pageferry.agent.guest;

import io.pageferry.core.link.StreamLink;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.IncomingGuest;
import java.util.Map;
import java.util.Optional;

/** A guest at the target as its agent sees it. */
public interface TargetGuest extends IncomingGuest {
    /**
     * Names it on this host: two migrations into one guest have the same identity.
     *
     * @return for example its process id and when that process started
     */
    String identity();

    /**
     * Returns how a guard reaches it once the agent is gone.
     *
     * @return for {@link GuestKind#recoveryAddress}; empty when it dies with the agent
     */
    Map<String, String> recoveryAddress();

    @Override
    default boolean readsAtOnce() {
        return true;
    }

    /** {@return how it fared since its resume; empty where it was not, or has no process} */
    default Optional<AfterResume> afterResume() {
        return Optional.empty();
    }

    /** What only the callers of {@link #discardOrThrow} need to know is not said. */
    @Override
    default void discard() {
        try {
            discardOrThrow();
        } catch (GuestException e) {
            return;
        }
    }

    @Override
    void discardOrThrow() throws GuestException;

    /**
     * Returns what an operator should know of what a migration left here, once it ended.
     *
     * @param arrived whether the guest is here
     * @return one line, empty where there is nothing to say
     */
    default Optional<String> remark(boolean arrived) {
        return Optional.empty();
    }

    /**
     * Receives the link for the bytes of its disks, before anything is offered.
     *
     * @param link of the source that may bring a guest
     */
    default void streamsOver(StreamLink link) {
        // Most kinds have no disks.
    }

    /**
     * Returns whether it lives inside the agent, which then stays for it.
     *
     * @return true for an embedded guest
     */
    default boolean livesInAgent() {
        return false;
    }

    /**
     * Has a command of this host's operator take over what came. Asked again and again from when
     * the guest is here until the answer is yes; starts the command at first, never waits for it.
     *
     * @param command of the shell; never from the peer
     * @param stop    whether it is to be ended, because a cancel was asked for
     * @return whether it ended well
     * @throws GuestException when it could not be started, ended badly or was stopped; what came
     *                        is as it was left
     */
    default boolean activated(String command, boolean stop) throws GuestException {
        throw new UnsupportedOperationException("guests of this kind run by themselves");
    }

    /**
     * Returns what the guest found out about itself.
     *
     * @return its self-check, or empty where there is none
     */
    default Optional<GuestCheck> check() {
        return Optional.empty();
    }
}
