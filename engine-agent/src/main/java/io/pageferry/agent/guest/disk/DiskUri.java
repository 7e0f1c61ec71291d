package io.pageferry.agent.guest.disk;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.disk.ReadErrors;
import io.pageferry.agent.host.disk.nbd.NbdAddress;
import io.pageferry.core.dirty.TrackerChoice;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A disk as the command line names it.
 *
 * @param places of the disks, in order
 * @param zeroes whether a page that cannot be read is taken as zeros
 * @param mode   which of them are read while they are written
 */
record DiskUri(List<DiskPlace> places, boolean zeroes, SourceDisks.Mode mode) {
    private static final String TRACKER = "tracker";
    private static final String ON_READ_ERROR = "on-read-error";
    /** As many as a guest has regions. */
    private static final int MOST = 1024;

    /** Values by key: those of this version first. */
    private static final Map<String, List<String>> VALUES = Map.of(
            DiskPlace.FORMAT, List.of(DiskPlace.RAW, "qcow2", "vmdk", "vhdx", "vdi"),
            TRACKER, List.of("auto", "bpf", "none"),
            ON_READ_ERROR, List.of("stop", "zero"));
    private static final Map<String, Set<String>> LATER = Map.of(
            DiskPlace.FORMAT, Set.of(), TRACKER, Set.of("scan"), ON_READ_ERROR, Set.of());

    /**
     * Parses a disk.
     *
     * @throws IllegalArgumentException when it makes no sense, or not in this version
     */
    static DiskUri parse(GuestUri uri) {
        uri.parameters().forEach((key, value) -> {
            if (key.equals(NbdAddress.SOCKET)) {
                return;
            }
            if (!VALUES.containsKey(key)) {
                throw new IllegalArgumentException("a disk has no '" + key + "': write disk:PATH"
                        + " or disk:PATH,PATH");
            }
            if (LATER.get(key).contains(value)) {
                throw new IllegalArgumentException(key + "=" + value + " of a disk is not in this"
                        + " version yet: there are " + String.join(", ", VALUES.get(key)));
            }
            if (!VALUES.get(key).contains(value)) {
                throw new IllegalArgumentException(key + "=" + value + ": of a disk there are "
                        + String.join(", ", VALUES.get(key)));
            }
        });
        List<String> paths = List.of(uri.rest().split(",", -1));
        if (paths.size() > MOST || paths.stream().anyMatch(String::isEmpty)
                || paths.stream().distinct().count() < paths.size()) {
            throw new IllegalArgumentException("write disk:/dev/sda or disk:/dev/sda,/dev/sdb,"
                    + " each disk once, not " + uri.text());
        }
        List<DiskPlace> places = paths.stream()
                .map(path -> DiskPlace.parse(path, uri.parameters())).toList();
        boolean socket = uri.parameters().containsKey(NbdAddress.SOCKET);
        if (places.stream().anyMatch(place -> place.export() != null) != socket) {
            throw new IllegalArgumentException(NbdAddress.SOCKET + "= is the socket of an NBD"
                    + " server: write disk:" + NbdAddress.SCHEME + "EXPORT?" + NbdAddress.SOCKET
                    + "=PATH");
        }
        return new DiskUri(places, "zero".equals(uri.parameters().get(ON_READ_ERROR)),
                mode(uri.parameters().getOrDefault(TRACKER, "auto")));
    }

    private static SourceDisks.Mode mode(String tracker) {
        return SourceDisks.Mode.valueOf(tracker.toUpperCase(Locale.ROOT));
    }

    /**
     * Takes the tracker of the options where the URI has none.
     *
     * @throws IllegalArgumentException where that is not for disks
     */
    SourceDisks.Mode mode(TrackerChoice tracker) {
        if (tracker == TrackerChoice.AUTO) {
            return mode;
        }
        if (tracker != TrackerChoice.BPF || mode == SourceDisks.Mode.NONE) {
            throw new IllegalArgumentException("--tracker " + tracker.label() + " cannot follow "
                    + text() + (mode == SourceDisks.Mode.NONE ? " with tracker=none"
                    : ": of a disk there are auto and bpf"));
        }
        return SourceDisks.Mode.BPF;
    }

    /** {@return the disks as people name them} */
    String text() {
        return places.stream().map(DiskPlace::toString).collect(Collectors.joining(", "));
    }

    ReadErrors readErrors() {
        return zeroes ? ReadErrors.zero() : ReadErrors.stop();
    }
}
