package io.pageferry.agent.guest.qemu.memory;

import io.pageferry.agent.guest.room.HostMemory;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What holds the RAM of a target QEMU: memory of the host, in the limits of control groups, and
 * the file systems of its backends, such as the tmpfs at /dev/shm. Huge pages were reserved when
 * QEMU started.
 */
public final class TargetRoom {
    private final long pid;
    private final List<QemuFacts.Backend> small;

    /**
     * Looks at nothing yet.
     *
     * @param pid      QEMU's
     * @param backends its RAM
     */
    public TargetRoom(long pid, List<QemuFacts.Backend> backends) {
        this.pid = pid;
        this.small = backends.stream()
                .filter(one -> one.pageSize() == PageGeometry.PAGE_SIZE).toList();
    }

    /**
     * Refuses a guest whose memory has no room: it would be a dead QEMU in the middle of the move.
     *
     * @param room      promises it
     * @param moreBytes that are going to be filled, at most all of the RAM
     * @throws GuestException {@link ErrorCode#NO_ROOM}
     */
    void require(RoomClaim room, long moreBytes) throws GuestException {
        long needed = Math.min(small.stream().mapToLong(QemuFacts.Backend::size).sum(),
                Math.max(0, moreBytes));
        room.requireMemory(needed, pid);
        for (Map.Entry<FileStore, Long> one : stores().entrySet()) {
            require(room, one.getKey(), Math.min(needed, one.getValue()));
        }
    }

    private static void require(RoomClaim room, FileStore store, long needed)
            throws GuestException {
        RoomClaim.Usable usable;
        try {
            usable = room.take(store, needed);
        } catch (IOException e) {
            return; // what cannot be asked is found out by filling it
        }
        if (needed > usable.bytes()) {
            throw new GuestException(ErrorCode.NO_ROOM, "the guest needs " + (needed >>> 20)
                    + " MiB of " + store + " here, which has " + (usable.bytes() >>> 20)
                    + " MiB left" + usable.words(),
                    "enlarge it (a tmpfs: mount -o remount,size=…) or choose another mem-path");
        }
    }

    /** {@return how much there is, for people} */
    public String describe() {
        HostMemory memory = HostMemory.available(pid);
        return (memory.bytes() >>> 20) + " MiB of memory are available " + memory.where()
                + stores().keySet().stream().map(store -> ", " + (usable(store) >>> 20)
                + " MiB in " + store).collect(Collectors.joining());
    }

    /** The file systems, and how much of the RAM is in each. */
    private Map<FileStore, Long> stores() {
        Map<FileStore, Long> stores = new LinkedHashMap<>();
        for (QemuFacts.Backend one : small) {
            if (one.path().isEmpty() || !one.share()) {
                continue;
            }
            Path path = Path.of(one.path()).toAbsolutePath();
            try {
                // A file that was unlinked after QEMU opened it lies where its folder does.
                stores.merge(Files.getFileStore(Files.exists(path) ? path : path.getParent()),
                        one.size(), Long::sum);
            } catch (IOException e) {
                // What cannot be asked is found out by filling it.
                continue;
            }
        }
        return stores;
    }

    private static long usable(FileStore store) {
        try {
            return store.getUsableSpace();
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
    }
}
