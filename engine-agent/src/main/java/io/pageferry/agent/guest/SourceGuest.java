package io.pageferry.agent.guest;

import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.core.dirty.DrainedTracker;
import io.pageferry.core.link.StreamLink;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.round.Bandwidth;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A guest at the source as its agent sees it. */
public interface SourceGuest extends Guest {
    /**
     * Names it on this host: two migrations of one guest have the same identity.
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

    /**
     * Returns the tracker and why it was chosen.
     *
     * @return one line
     */
    String trackerReason();

    @Override
    default Optional<String> memoryAccess() {
        return memory() instanceof RegionMemory held ? Optional.of(held.access().label())
                : Optional.empty();
    }

    /** {@return what it cost to wait for devices that write unseen; empty where none do} */
    default Optional<DrainedTracker.Costs> drained() {
        return Optional.empty();
    }

    /** {@return whether guests of this kind can have disks that are copied} */
    default boolean canCopyStorage() {
        return false;
    }

    /**
     * Has its disks copied to the target, from the target's yes on; of a kind that can.
     *
     * @param link      how their bytes get there
     * @param bandwidth of all of the migration
     * @throws GuestException when it has none that could be copied
     */
    default void copyStorage(StreamLink link, Bandwidth bandwidth) throws GuestException {
        throw new UnsupportedOperationException();
    }

    /** {@return how far the copies are, or empty where none was asked for} */
    default Optional<DiskCopies> copied() {
        return Optional.empty();
    }

    /**
     * Returns why its throttle was chosen.
     *
     * @return one line, asked where a throttle is asked for and the guest has one
     */
    default String throttleReason() {
        return "it holds the writer inside this process";
    }

    /**
     * Returns what a throttle could not do, or could not undo.
     *
     * @return one line for the operator, empty where all is well
     */
    default Optional<String> throttleTrouble() {
        return Optional.empty();
    }

    /**
     * Returns what an operator should know when the paused guest is kept after a move.
     *
     * @return one line, empty where it cannot be let run by mistake
     */
    default Optional<String> keepWarning() {
        return Optional.empty();
    }

    /**
     * What of a disk could not be read, and was moved as zeros because that was asked for.
     *
     * @param pages  how many pages of 4 KiB
     * @param places the first of them, disk and sector of 512 bytes
     */
    record Unread(long pages, List<String> places) {
        /** {@return one line} */
        public String line() {
            return pages + " pages of 4 KiB could not be read and were moved as zeros: "
                    + String.join(", ", places) + (pages > places.size() ? ", …" : "");
        }
    }

    /**
     * Returns whether a folder would stand still with the guest, so that nothing of this agent may
     * be written there.
     *
     * @param folder that is there
     * @return true where it lies on a disk that is moved while it is written
     * @throws GuestException when that cannot be told
     */
    default boolean freezes(Path folder) throws GuestException {
        return false;
    }

    /**
     * Returns what an operator has to do about what is left here, where it was moved or may have
     * been.
     *
     * @return one line, empty where there is nothing
     */
    default Optional<String> leftHere() {
        return Optional.empty();
    }

    /** {@return what could not be read; empty where everything was} */
    default Optional<Unread> unread() {
        return Optional.empty();
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
