package io.pageferry.agent.guest.disk;

import io.pageferry.agent.host.disk.Disk;
import io.pageferry.core.migration.GuestException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Disks that this process holds alone, all or none.
 *
 * @param disks in the order of the command line
 */
record HeldDisks(List<Disk> disks) implements AutoCloseable {
    /** Takes a disk. */
    @FunctionalInterface
    interface Opener {
        Disk open(DiskPlace place) throws GuestException;
    }

    static HeldDisks open(List<DiskPlace> places, Opener opener) throws GuestException {
        List<Disk> opened = new ArrayList<>();
        boolean whole = false;
        try {
            for (DiskPlace place : places) {
                opened.add(opener.open(place));
            }
            whole = true;
            return new HeldDisks(List.copyOf(opened));
        } finally {
            if (!whole) {
                opened.forEach(Disk::close);
            }
        }
    }

    /** What no other disks of this host have, in whatever order they are named. */
    String identity() {
        return disks.stream().map(Disk::identity).sorted()
                .collect(Collectors.joining("+"));
    }

    /** As people name them. */
    String text() {
        return text(disks);
    }

    /** Some disks as people name them. */
    static String text(List<Disk> some) {
        return some.stream().map(Disk::toString).collect(Collectors.joining(", "));
    }

    /** Which of them is not as long as it was, or gone. */
    String changed() {
        return text(disks.stream().filter(disk -> !disk.isUnchanged()).toList());
    }

    @Override
    public void close() {
        disks.forEach(Disk::close);
    }
}
