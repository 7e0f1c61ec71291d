package io.pageferry.agent.host.disk;

import io.pageferry.agent.host.linux.LinuxException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What is done about a page that a disk cannot read, and which those were. Any thread. */
public final class ReadErrors {
    /** Those that are named; all are counted. */
    private static final int NAMED = 16;
    /** EIO, ENODATA, EILSEQ, EREMOTEIO: the kernel's words for a medium that cannot be read. */
    private static final Set<Integer> OF_MEDIA = Set.of(5, 61, 84, 121);

    private final boolean zero;

    // Guarded by this.
    private final List<String> places = new ArrayList<>();
    /** Disk and sector: a page may be read more than once. */
    private final Set<String> all = new HashSet<>();

    /**
     * What could not be read.
     *
     * @param pages  how many pages of 4 KiB were taken as zeros
     * @param places the first of them, disk and sector of 512 bytes
     */
    public record Found(long pages, List<String> places) { }

    private ReadErrors(boolean zero) {
        this.zero = zero;
    }

    /** {@return the rule that the first one ends the move} */
    public static ReadErrors stop() {
        return new ReadErrors(false);
    }

    /** {@return the rule that such a page is taken as zeros} */
    public static ReadErrors zero() {
        return new ReadErrors(true);
    }

    /** {@return what was found so far} */
    public synchronized Found found() {
        return new Found(all.size(), List.copyOf(places));
    }

    /** Takes a page as zeros, or throws. A disk that is gone has no page that could be left out. */
    void on(Disk disk, long sector, LinuxException e) throws IOException {
        String place = disk + " sector " + sector;
        if (!zero || !OF_MEDIA.contains(e.errno()) || !disk.isUnchanged()) {
            throw new IOException(place + " cannot be read (" + LinuxException.nameOf(e.errno())
                    + ")", e);
        }
        synchronized (this) {
            if (all.add(place) && places.size() < NAMED) {
                places.add(place);
            }
        }
    }
}
