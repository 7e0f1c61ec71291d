package io.pageferry.agent.guest.room;

import java.util.HashSet;
import java.util.Set;

/**
 * What of a host's memory and file systems was promised to guests that are on their way to this
 * process and has not come yet: two sources are never promised the same bytes. What other processes
 * receive is seen when it has come. Any thread.
 */
public final class HostRoom {
    private static final HostRoom OF_PROCESS = new HostRoom();

    /** Guarded by this, as all that is in them. */
    private final Set<RoomClaim> claims = new HashSet<>();

    /** Makes one apart from that of this process, for who shares its host with nobody. */
    public HostRoom() {
        // Nothing was promised.
    }

    /** {@return that of this process, whatever receives in it} */
    public static HostRoom ofProcess() {
        return OF_PROCESS;
    }

    /** {@return a claim to it that holds nothing yet} */
    public RoomClaim claim() {
        return new RoomClaim(this);
    }

    void add(RoomClaim claim) {
        claims.add(claim);
    }

    void remove(RoomClaim claim) {
        claims.remove(claim);
    }

    /** Returns how many bytes of a place others were promised that have not come. */
    long promisedToOthers(RoomClaim than, Object place) {
        return claims.stream().filter(one -> one != than)
                .mapToLong(one -> one.outstanding(place)).sum();
    }
}
