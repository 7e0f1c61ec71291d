package io.pageferry.agent.guest.disk;

import io.pageferry.agent.host.disk.Disk;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Disks whose agent is gone, as a guard finds them. At the source nothing is to be done. At the
 * target the first MiB of a disk that was refused becomes zero, and only where it is the disk that
 * it was: a device has another identity after a boot.
 *
 * @param places   of the disks
 * @param identity that they had, in order
 * @param filled   whether they are the target's
 */
record DiskHandle(List<DiskPlace> places, List<String> identity, boolean filled)
        implements GuestHandle {
    static final String BY_HAND = "make it so by hand before anybody boots from it: dd if=/dev/zero"
            + " of=DISK bs=1M count=1";

    private static final String PATHS = "disks";
    private static final String IDENTITIES = "identities";
    private static final String FILLED = "filled";
    private static final String SEPARATOR = ",";

    static Map<String, String> address(HeldDisks held, boolean filled) {
        return Map.of(PATHS, held.disks().stream().map(Disk::address)
                        .collect(Collectors.joining(SEPARATOR)),
                IDENTITIES, held.disks().stream().map(Disk::identity)
                        .collect(Collectors.joining(SEPARATOR)),
                FILLED, Boolean.toString(filled));
    }

    static DiskHandle of(Map<String, String> address) {
        return new DiskHandle(Stream.of(address.getOrDefault(PATHS, "").split(SEPARATOR))
                .map(DiskPlace::ofAddress).toList(), List.of(address.getOrDefault(IDENTITIES, "")
                .split(SEPARATOR)), Boolean.parseBoolean(address.get(FILLED)));
    }

    @Override
    public Condition condition() {
        return places.stream().allMatch(DiskPlace::isThere) ? Condition.PAUSED : Condition.GONE;
    }

    @Override
    public void resume() {
        // A disk does not run.
    }

    @Override
    public void end() throws GuestException {
        if (filled) {
            for (int i = 0; i < places.size(); i++) {
                blank(places.get(i), identity.get(i));
            }
        }
    }

    @Override
    public void forget() throws GuestException {
        end();
    }

    private static void blank(DiskPlace place, String identity) throws GuestException {
        try {
            boolean same = place.identity().equals(identity);
            try (Disk disk = place.target()) {
                if (!same && !disk.isHeadBlank()) {
                    throw failed("it cannot be told whether " + place + " still is the disk that"
                            + " was filled and refused", BY_HAND);
                }
                if (same) {
                    disk.blankHead();
                }
            }
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw failed("the first MiB of " + place + " could not be made zero: "
                    + e.getMessage(), BY_HAND);
        }
    }

    private static GuestException failed(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
