package io.pageferry.agent.guest.disk;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.host.disk.DiskOpening;
import io.pageferry.agent.host.disk.DiskSet;
import io.pageferry.agent.host.disk.freeze.Freezer;
import io.pageferry.agent.host.linux.block.BlockDevice;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.agent.host.linux.bpf.BlockTracker;
import io.pageferry.agent.host.linux.bpf.BlockTracker.Tracked;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Disks of a source, each held alone or, where a file system on it is mounted, read while it is
 * written: hot.
 *
 * @param held    all of them, in order
 * @param tracker of what is written to the hot ones
 * @param freeze  of the hot ones
 */
record SourceDisks(HeldDisks held, DirtyTracker tracker, WriterFreeze freeze)
        implements AutoCloseable {
    private static final BlockDevices HOST = BlockDevices.ofHost();

    /** Which disks are read while they are written. */
    enum Mode {
        /** Those on which something is mounted. */
        AUTO,
        /** The same, and at least one. */
        BPF,
        /** None: what is mounted is refused. */
        NONE
    }

    /** Of disks to which nobody writes: they are held alone for as long as they are moved. */
    private static final class ColdTracker implements DirtyTracker {
        @Override
        public String name() {
            return "none";
        }

        @Override
        public void start() {
            // There is nothing to be armed.
        }

        @Override
        public void harvest(DirtyBitmap into) {
            // Nothing was written.
        }

        @Override
        public boolean mayMissHoles() {
            return false;
        }

        @Override
        public void close() {
            // There is nothing to be stopped.
        }
    }

    /**
     * Returns which of some disks are written while they move.
     *
     * @param disk as the command line names them
     * @param mode which are asked for
     * @throws GuestException when that cannot be told
     */
    static List<DiskPlace> hot(DiskUri disk, Mode mode) throws GuestException {
        List<DiskPlace> hot = new ArrayList<>();
        try {
            for (DiskPlace place : mode == Mode.NONE ? List.<DiskPlace>of() : disk.places()) {
                if (place.path() != null && BlockDevices.isNode(place.path())
                        && Freezer.isMounted(HOST, DeviceNumber.ofNode(place.path()))) {
                    hot.add(place);
                }
            }
        } catch (IOException e) {
            throw failed(e, "");
        }
        return hot;
    }

    /**
     * Opens them. Nothing on them is changed.
     *
     * @param disk  as the command line names them
     * @param mode  which are hot
     * @param setup of the guest
     * @throws GuestException when one cannot be moved like this
     */
    static SourceDisks open(DiskUri disk, Mode mode, GuestSetup setup) throws GuestException {
        List<DiskPlace> hot = hot(disk, mode);
        if (mode == Mode.BPF && hot.isEmpty()) {
            throw new GuestException(ErrorCode.HOST_FAILED, "nothing on " + disk.text()
                    + " is mounted here, so nobody writes to it",
                    "leave tracker bpf out: it is moved cold");
        }
        HeldDisks held = HeldDisks.open(disk.places(), place -> hot.contains(place)
                ? DiskOpening.mounted(place.path()) : place.source());
        boolean whole = false;
        try {
            SourceDisks opened = hot.isEmpty()
                    ? new SourceDisks(held, new ColdTracker(), WriterFreeze.NONE)
                    : hot(held, disk.places(), hot, setup);
            whole = true;
            return opened;
        } finally {
            if (!whole) {
                held.close();
            }
        }
    }

    private static SourceDisks hot(HeldDisks held, List<DiskPlace> places, List<DiskPlace> hot,
            GuestSetup setup) throws GuestException {
        DiskSet set = DiskSet.of(held.disks());
        List<Tracked> tracked = new ArrayList<>();
        try {
            for (int i = 0; i < places.size(); i++) {
                if (hot.contains(places.get(i))) {
                    BlockDevice device = HOST.find(DeviceNumber.ofNode(places.get(i).path()));
                    tracked.add(new Tracked(device, set.regions().firstPage(i)));
                }
            }
            DirtyTracker tracker = BlockTracker.of(HOST, tracked);
            WriterFreeze freeze = HotFreeze.of(HOST, tracked.stream()
                    .map(one -> one.device().number()).toList(), setup.freezing(),
                    setup.pauseLimit());
            BlockTracker.requireKernel();
            return new SourceDisks(held, tracker, freeze);
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw failed(e, "or unmount it and move it cold");
        }
    }

    /**
     * Looks whether a disk that is mounted can be moved. Nothing is changed.
     *
     * @throws GuestException when it cannot; says what to do
     */
    static void requireMovable(Path path) throws GuestException {
        try {
            BlockDevice device = HOST.find(DeviceNumber.ofNode(path));
            BlockTracker.requirePossible(HOST, device);
            HotFreeze.requireFreezable(HOST, List.of(device.number()));
            BlockTracker.requireKernel();
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw failed(e, "or unmount it and move it cold");
        }
    }

    private static GuestException failed(IOException e, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, e.getMessage(), remedy);
    }

    @Override
    public void close() {
        freeze.close();
        tracker.close();
        held.close();
    }
}
