package io.pageferry.agent.guest.disk;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.HostMemory;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.host.disk.DirectDisk;
import io.pageferry.agent.host.disk.DiskOpening;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code disk:PATH[,PATH…]}: block devices and files that nobody else uses, or, at the source, that
 * file systems are mounted from.
 */
public final class DiskKind implements GuestKind {
    static final String SCHEME = "disk";

    private static final int TABLE_BYTES = 5;

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
        return List.of(After.KEEP, After.THAW);
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
        SourceDisks disks = SourceDisks.open(disk, disk.mode(setup.tracker()), setup);
        try {
            requireMemory(disks.held().disks().stream()
                    .mapToLong(one -> PageGeometry.pagesFor(one.bytes())).sum());
        } catch (GuestException e) {
            disks.close();
            throw e;
        }
        return new DiskGuest(disks, disk.readErrors(), setup.after());
    }

    /** Each side keeps a checksum and some bits of each page: 1.25 GiB for 1 TiB. */
    static void requireMemory(long pages) throws GuestException {
        HostMemory.requireRoomFor(pages * TABLE_BYTES);
    }

    @Override
    public TargetGuest openTarget(GuestUri uri, GuestSetup setup) throws GuestException {
        if (setup.prealloc()) {
            throw new IllegalArgumentException("--prealloc is for guests in memory: leave it out"
                    + " for a disk");
        }
        return new IncomingDisk(HeldDisks.open(DiskUri.parse(uri).paths(), DiskOpening::target));
    }

    @Override
    public Optional<GuestHandle> handle(Map<String, String> recoveryAddress) {
        return Optional.of(DiskHandle.of(recoveryAddress));
    }

    @Override
    public boolean outlivesAgent() {
        return true;
    }

    @Override
    public List<Finding> inspect(GuestUri uri) {
        DiskUri disk = DiskUri.parse(uri);
        return disk.paths().stream().map(path -> look(path, disk)).toList();
    }

    private static Finding look(Path path, DiskUri disk) {
        try {
            if (SourceDisks.hot(disk, disk.mode()).contains(path)) {
                SourceDisks.requireMovable(path);
                return new Finding("disk", Verdict.OK, path + ": mounted, and moved while it is"
                        + " written" + asTarget(path), "", "");
            }
            return new Finding("disk", Verdict.OK, described(path) + ": supported as source"
                    + asTarget(path), "", "");
        } catch (GuestException e) {
            return new Finding("disk", Verdict.REFUSED, path.toString(), e.getMessage(),
                    e.remedy());
        }
    }

    private static String described(Path path) throws GuestException {
        try (DirectDisk disk = DiskOpening.source(path)) {
            return disk + ", " + (disk.name().isDevice() ? "a device" : "a file") + " of "
                    + disk.size() + " bytes, sectors of " + disk.sectorBytes();
        }
    }

    private static String asTarget(Path path) {
        try {
            DiskOpening.target(path).close();
            return " and target";
        } catch (GuestException e) {
            return ", not as target: " + e.getMessage();
        }
    }
}
