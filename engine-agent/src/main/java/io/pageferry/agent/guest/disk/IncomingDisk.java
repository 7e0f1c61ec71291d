package io.pageferry.agent.guest.disk;

import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.disk.DiskSet;
import io.pageferry.agent.host.disk.DiskStore;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Disks at the target. Until everything is there and proved the first MiB of each is zero, so that
 * nothing boots from it; what ends before leaves them so.
 */
final class IncomingDisk implements TargetGuest {
    private final HeldDisks held;
    private final RoomClaim room;
    private DiskStore store;
    private boolean begun;
    private IOException notBlank;
    /** What was begun and stays here all the same: what was made for it goes again. */
    private List<Disk> left;

    IncomingDisk(HeldDisks held, RoomClaim room) {
        this.held = held;
        this.room = room;
        this.left = held.disks();
    }

    @Override
    public boolean takesDisks() {
        return true;
    }

    @Override
    public void requireFits(GuestDescription guest) throws GuestException {
        List<Region> disks = guest.regions().regions();
        if (!guest.kind().equals(DiskKind.SCHEME)
                || disks.stream().anyMatch(disk -> disk.kind() != Region.Kind.DISK)) {
            throw mismatch("a " + guest.kind() + " guest cannot become a disk",
                    "receive it as " + guest.kind() + ": or image:");
        }
        if (disks.size() != held.disks().size()) {
            throw mismatch("the source moves " + disks.size() + " disks, and " + held.text()
                    + " are " + held.disks().size(), "name as many on both sides");
        }
        room.requireMemory(DiskKind.tableBytes(guest.regions().pageCount()));
        for (Region disk : disks) {
            requireFits(disk, held.disks().get(disk.id()), sector(guest, disk.id()));
        }
    }

    private static void requireFits(Region disk, Disk here, int sector)
            throws GuestException {
        if (disk.size() > here.size()) {
            throw new GuestException(ErrorCode.NO_ROOM, here + " is too small at the target: "
                    + here.size() + " bytes, and the source's has " + disk.size() + ", "
                    + (disk.size() - here.size()) + " more", here.isDevice()
                    ? "name a larger disk" : "truncate -s " + disk.size() + " " + here);
        }
        if (here.isDevice() && here.sectorBytes() > sector) {
            throw mismatch(here + " has sectors of " + here.sectorBytes() + " bytes, and the"
                    + " source's of " + sector + ": its partition table and file systems could not"
                    + " be read there", "name a disk with sectors of " + sector + " bytes");
        }
        if (here.isDevice() && disk.size() % here.sectorBytes() != 0) {
            throw mismatch("the source's disk has " + disk.size() + " bytes, which fill no sector"
                    + " of " + here + " at the end", "truncate -s %" + here.sectorBytes()
                    + " the file at the source");
        }
    }

    private static int sector(GuestDescription guest, int disk) {
        try {
            return Integer.parseInt(guest.attributes().getOrDefault(DiskGuest.SECTOR + disk, ""));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    @Override
    public PageStore prepare(GuestDescription guest) throws GuestException {
        requireFits(guest);
        List<Disk> disks = new ArrayList<>();
        for (Region disk : guest.regions().regions()) {
            Disk here = held.disks().get(disk.id());
            use(here, disk.size());
            disks.add(here);
        }
        begun = true;
        store = new DiskStore(new DiskSet(disks, guest.regions()));
        return store;
    }

    private static void use(Disk here, long bytes) throws GuestException {
        try {
            here.use(bytes);
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, here + " cannot be made: "
                    + e.getMessage(), "make it by hand, or name another disk");
        }
    }

    @Override
    public boolean readsAtOnce() {
        return false;
    }

    @Override
    public Optional<String> memoryAccess() {
        return begun ? Optional.of("direct") : Optional.empty();
    }

    @Override
    public void loadState(byte[] state) throws GuestException {
        if (state.length > 0) {
            throw mismatch("a disk has no state, and " + state.length + " bytes of one came", "");
        }
    }

    /** It is complete, and whoever mounts or boots it needs it for himself. */
    @Override
    public void resume() {
        close();
    }

    @Override
    public void arrivePaused() {
        close();
    }

    @Override
    public void discard() {
        if (store == null) {
            return;
        }
        try {
            store.abandon();
        } catch (IOException e) {
            notBlank = e;
        } finally {
            store.close();
            store = null;
            left = held.disks().stream().filter(disk -> !disk.discard()).toList();
        }
    }

    @Override
    public void discardOrThrow() throws GuestException {
        discard();
        if (notBlank != null && !left.isEmpty()) {
            throw new GuestException(ErrorCode.HOST_FAILED, "the first MiB of "
                    + HeldDisks.text(left)
                    + " could not be made zero: " + notBlank.getMessage(), DiskHandle.BY_HAND);
        }
    }

    @Override
    public Optional<String> remark(boolean arrived) {
        if (arrived) {
            return Optional.of(held.disks().stream().filter(disk -> disk.bytes() < disk.size())
                    .map(disk -> disk + " has " + (disk.size() - disk.bytes())
                            + " bytes more than the disk that came, which were left as they were")
                    .toList()).filter(lines -> !lines.isEmpty())
                    .map(lines -> String.join("; ", lines));
        }
        if (!begun) {
            return Optional.empty();
        }
        if (left.isEmpty()) {
            return Optional.of(held.text() + ", made for it, is deleted");
        }
        String what = HeldDisks.text(left);
        return Optional.of(notBlank == null
                ? what + " is unfinished and cannot boot: its first MiB is zero"
                : what + " is unfinished, and its first MiB could not be made zero: "
                + DiskHandle.BY_HAND);
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    @Override
    public String identity() {
        return held.identity();
    }

    @Override
    public Map<String, String> recoveryAddress() {
        return DiskHandle.address(held, true, false);
    }

    @Override
    public void close() {
        if (store != null) {
            store.close();
            store = null;
        }
        held.close();
    }

    private static GuestException mismatch(String what, String remedy) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, what, remedy);
    }
}
