package io.pageferry.agent.guest.disk;

import io.pageferry.agent.host.disk.DirectDisk;
import io.pageferry.core.migration.GuestException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Disks that this process holds alone, all or none.
 *
 * @param disks in the order of the command line
 */
record HeldDisks(List<DirectDisk> disks) implements AutoCloseable {
    /** Takes a disk. */
    @FunctionalInterface
    interface Opener {
        DirectDisk open(Path path) throws GuestException;
    }

    static HeldDisks open(List<Path> paths, Opener opener) throws GuestException {
        List<DirectDisk> opened = new ArrayList<>();
        boolean whole = false;
        try {
            for (Path path : paths) {
                opened.add(opener.open(path));
            }
            whole = true;
            return new HeldDisks(List.copyOf(opened));
        } finally {
            if (!whole) {
                opened.forEach(DirectDisk::close);
            }
        }
    }

    /** What no other disks of this host have, in whatever order they are named. */
    String identity() {
        return disks.stream().map(disk -> disk.name().identity()).sorted()
                .collect(Collectors.joining("+"));
    }

    /** As people name them. */
    String text() {
        return disks.stream().map(DirectDisk::toString).collect(Collectors.joining(", "));
    }

    /** Which of them is not as long as it was, or gone. */
    String changed() {
        return disks.stream().filter(disk -> !disk.isUnchanged()).map(DirectDisk::toString)
                .collect(Collectors.joining(", "));
    }

    @Override
    public void close() {
        disks.forEach(DirectDisk::close);
    }
}
