package io.pageferry.agent.guest.disk;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.room.HostMemory;
import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.linux.process.PowerOff;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code disk:PATH[,PATH…]}: devices, files, images and NBD exports that nobody else uses, or, of
 * devices at the source, that file systems are mounted from.
 */
public final class DiskKind implements GuestKind {
    /** How it is named. */
    public static final String SCHEME = "disk";

    private static final int TABLE_BYTES = 5;
    private static final PowerOff POWER = PowerOff.ofHost();

    /** Made by the service loader. */
    public DiskKind() {
    }

    @Override
    public String scheme() {
        return SCHEME;
    }

    /** A disk that is moved stays: there is nothing that would quit. */
    @Override
    public List<After> afterwards() {
        return List.of(After.KEEP, After.THAW, After.POWEROFF);
    }

    @Override
    public boolean standsStill(GuestUri uri) {
        DiskUri disk = DiskUri.parse(uri);
        try {
            return SourceDisks.hot(disk, disk.mode()).isEmpty();
        } catch (GuestException e) {
            return true; // which opening it says
        }
    }

    @Override
    public SourceGuest openSource(GuestUri uri, GuestSetup setup) throws GuestException {
        DiskUri disk = DiskUri.parse(uri);
        SourceDisks disks = open(disk, disk.mode(setup.tracker()), setup);
        return DiskGuest.of(disks, disk.readErrors(), new DiskEnd(setup.after(), POWER));
    }

    /** What is mounted is refused: its copies would be of different moments. */
    @Override
    public List<SourceGuest> openCopies(GuestUri uri, GuestSetup setup, int copies)
            throws GuestException {
        DiskUri disk = DiskUri.parse(uri);
        SourceDisks disks = open(disk, SourceDisks.Mode.NONE, setup);
        return DiskGuest.copies(disks, disk.readErrors(), new DiskEnd(setup.after(), POWER),
                copies);
    }

    private static SourceDisks open(DiskUri disk, SourceDisks.Mode mode, GuestSetup setup)
            throws GuestException {
        SourceDisks disks = SourceDisks.open(disk, mode, setup);
        try {
            new DiskEnd(setup.after(), POWER).requirePossible(disks);
            HostMemory.requireRoomFor(tableBytes(disks.held().disks().stream()
                    .mapToLong(one -> PageGeometry.pagesFor(one.bytes())).sum()));
        } catch (GuestException e) {
            disks.close();
            throw e;
        }
        return disks;
    }

    /** Each side keeps a checksum and some bits of each page: 1.25 GiB for 1 TiB. */
    static long tableBytes(long pages) {
        return pages * TABLE_BYTES;
    }

    @Override
    public TargetGuest openTarget(GuestUri uri, GuestSetup setup) throws GuestException {
        if (setup.prealloc()) {
            throw new IllegalArgumentException("--prealloc is for guests in memory: leave it out"
                    + " for a disk");
        }
        return new IncomingDisk(HeldDisks.open(DiskUri.parse(uri).places(), DiskPlace::target),
                setup.room());
    }

    @Override
    public Optional<GuestHandle> handle(Map<String, String> recoveryAddress) {
        return Optional.of(DiskHandle.of(recoveryAddress, POWER));
    }

    @Override
    public boolean outlivesAgent() {
        return true;
    }

    @Override
    public List<Finding> inspect(GuestUri uri) throws GuestException {
        DiskUri disk = DiskUri.parse(uri);
        List<DiskPlace> hot = SourceDisks.hot(disk, disk.mode());
        return disk.places().stream().map(place -> look(place, hot.contains(place))).toList();
    }

    private static Finding look(DiskPlace place, boolean hot) {
        try {
            if (hot) {
                SourceDisks.requireMovable(place.path());
                return new Finding("disk", Verdict.OK, place + ": mounted, and moved while it is"
                        + " written" + asTarget(place), "", "");
            }
            return new Finding("disk", Verdict.OK, described(place) + ": supported as source"
                    + asTarget(place), "", "");
        } catch (GuestException e) {
            return new Finding("disk", Verdict.REFUSED, place.toString(), e.getMessage(),
                    e.remedy());
        }
    }

    private static String described(DiskPlace place) throws GuestException {
        try (Disk disk = place.source()) {
            return disk + ", " + place.kind() + " of " + disk.size() + " bytes, sectors of "
                    + disk.sectorBytes();
        }
    }

    /** To open an image for writing changes it. */
    private static String asTarget(DiskPlace place) {
        try {
            if (!place.isImage()) {
                place.target().close();
            }
            return " and target";
        } catch (GuestException e) {
            return ", not as target: " + e.getMessage();
        }
    }
}
