package io.pageferry.agent.guest.disk;

import io.pageferry.agent.host.disk.DirectDisk;
import io.pageferry.agent.host.disk.DiskName;
import io.pageferry.agent.host.disk.DiskOpening;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Disks whose agent is gone, as a guard finds them. At the source nothing is to be done. At the
 * target the first MiB of a disk that was refused becomes zero, and only where it is the disk that
 * it was: a device has another identity after a boot.
 *
 * @param paths    of the disks
 * @param identity that they had, in order
 * @param filled   whether they are the target's
 */
record DiskHandle(List<Path> paths, List<String> identity, boolean filled)
        implements GuestHandle {
    static final String BY_HAND = "make it so by hand before anybody boots from it: dd if=/dev/zero"
            + " of=DISK bs=1M count=1";

    private static final String PATHS = "disks";
    private static final String IDENTITIES = "identities";
    private static final String FILLED = "filled";
    private static final String SEPARATOR = ",";

    static Map<String, String> address(HeldDisks held, boolean filled) {
        return Map.of(PATHS, held.disks().stream().map(disk -> disk.name().path().toString())
                        .collect(Collectors.joining(SEPARATOR)),
                IDENTITIES, held.disks().stream().map(disk -> disk.name().identity())
                        .collect(Collectors.joining(SEPARATOR)),
                FILLED, Boolean.toString(filled));
    }

    static DiskHandle of(Map<String, String> address) {
        return new DiskHandle(Stream.of(address.getOrDefault(PATHS, "").split(SEPARATOR))
                .map(Path::of).toList(), List.of(address.getOrDefault(IDENTITIES, "")
                .split(SEPARATOR)), Boolean.parseBoolean(address.get(FILLED)));
    }

    @Override
    public Condition condition() {
        return paths.stream().allMatch(Files::exists) ? Condition.PAUSED : Condition.GONE;
    }

    @Override
    public void resume() {
        // A disk does not run.
    }

    @Override
    public void end() throws GuestException {
        if (filled) {
            for (int i = 0; i < paths.size(); i++) {
                blank(paths.get(i), identity.get(i));
            }
        }
    }

    @Override
    public void forget() throws GuestException {
        end();
    }

    private static void blank(Path path, String identity) throws GuestException {
        try {
            boolean same = DiskName.of(path).identity().equals(identity);
            try (DirectDisk disk = DiskOpening.target(path)) {
                if (!same && !disk.isHeadBlank()) {
                    throw failed("it cannot be told whether " + path + " still is the disk that"
                            + " was filled and refused", BY_HAND);
                }
                if (same) {
                    disk.blankHead();
                }
            }
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw failed("the first MiB of " + path + " could not be made zero: "
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
