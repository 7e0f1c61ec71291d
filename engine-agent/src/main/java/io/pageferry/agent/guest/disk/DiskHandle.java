package io.pageferry.agent.guest.disk;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.disk.DiskName;
import io.pageferry.agent.host.disk.freeze.Freezer;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.agent.host.linux.process.PowerOff;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Disks whose agent is gone, as a guard finds them. At the source what was frozen is thawed where
 * it is to go on; nothing else is to be done. At the target the first MiB of a disk that was
 * refused becomes zero, and only where it is the disk that it was: a device has another identity
 * after a boot.
 *
 * @param places   of the disks
 * @param identity that they had, in order
 * @param filled   whether they are the target's
 * @param frozen   whether file systems on them may be frozen
 * @param fate     what becomes of them here once they moved
 */
record DiskHandle(List<DiskPlace> places, List<String> identity, boolean filled, boolean frozen,
        DiskEnd fate)
        implements GuestHandle {
    static final String BY_HAND = "make it so by hand before anybody boots from it: dd if=/dev/zero"
            + " of=DISK bs=1M count=1";

    private static final String PATHS = "disks";
    private static final String IDENTITIES = "identities";
    private static final String FILLED = "filled";
    private static final String FROZEN = "frozen";
    private static final String SEPARATOR = ",";

    /** What of it is in a journal. */
    static Map<String, String> address(HeldDisks held, boolean filled, boolean frozen) {
        return Map.of(PATHS, held.disks().stream().map(Disk::address)
                        .collect(Collectors.joining(SEPARATOR)),
                IDENTITIES, held.disks().stream().map(Disk::identity)
                        .collect(Collectors.joining(SEPARATOR)),
                FILLED, Boolean.toString(filled), FROZEN, Boolean.toString(frozen));
    }

    static DiskHandle of(Map<String, String> address, PowerOff power) {
        return new DiskHandle(Stream.of(address.getOrDefault(PATHS, "").split(SEPARATOR))
                .map(DiskPlace::ofAddress).toList(), List.of(address.getOrDefault(IDENTITIES, "")
                .split(SEPARATOR)), Boolean.parseBoolean(address.get(FILLED)),
                Boolean.parseBoolean(address.get(FROZEN)),
                new DiskEnd(After.of(address).orElse(After.KEEP), power));
    }

    @Override
    public Condition condition() {
        return places.stream().allMatch(DiskPlace::isThere) ? Condition.PAUSED : Condition.GONE;
    }

    /** What is mounted from it goes on; a disk itself does not run. */
    @Override
    public void resume() throws GuestException {
        if (!frozen) {
            return;
        }
        try {
            Freezer.thawAll(BlockDevices.ofHost(), same());
        } catch (IOException e) {
            throw failed("what is mounted from " + places + " could not be thawed: "
                    + e.getMessage(), "fsfreeze -u MOUNT").retryable();
        }
    }

    /** Another disk under that name, or one after a boot, was not frozen by us. */
    private List<DeviceNumber> same() throws IOException {
        List<DeviceNumber> found = new ArrayList<>();
        for (int i = 0; i < places.size(); i++) {
            Path path = places.get(i).path();
            if (path != null) {
                DiskName name = DiskName.of(path);
                if (name.isDevice() && name.identity().equals(identity.get(i))) {
                    found.add(DeviceNumber.ofNode(path));
                }
            }
        }
        return found;
    }

    @Override
    public void end() throws GuestException {
        if (filled) {
            for (int i = 0; i < places.size(); i++) {
                blank(places.get(i), identity.get(i));
            }
        } else if (fate.after() == After.THAW) {
            resume();
        } else if (fate.after() == After.POWEROFF && isSameBoot()) {
            fate.powerOff();
        }
    }

    /** After a boot nobody is frozen, and this machine runs because somebody wants it to. */
    private boolean isSameBoot() throws GuestException {
        try {
            return !same().isEmpty();
        } catch (IOException e) {
            throw failed("it cannot be told whether " + places + " are what was moved: "
                    + e.getMessage(), "power this machine off by hand").retryable();
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
