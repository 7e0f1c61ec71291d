package io.pageferry.agent.guest.machine;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.disk.DiskKind;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A machine at the target: disks in a folder that are made when their sizes are known, and what
 * starts it beside them. It is deleted where it is not granted.
 */
final class IncomingMachine implements TargetGuest {
    private static final long MIB = 1 << 20;

    private final MachineFolder folder;
    private final MachineHandle handle;
    private final GuestSetup setup;
    /** From its first page on. */
    private TargetGuest disks;
    private long memoryBytes;
    private String name = "";
    private boolean begun;
    private boolean started;
    private IOException left;

    IncomingMachine(MachineFolder folder, boolean start, GuestSetup setup) {
        this.folder = folder;
        this.handle = new MachineHandle(folder, start);
        this.setup = setup;
    }

    @Override
    public boolean takesDisks() {
        return true;
    }

    @Override
    public void requireFits(GuestDescription offered) throws GuestException {
        List<Region> regions = offered.regions().regions();
        if (!offered.kind().equals(MachineKind.SCHEME)
                || regions.stream().anyMatch(one -> one.kind() != Region.Kind.DISK)) {
            throw mismatch("a " + offered.kind() + " guest is no machine", "move it as machine:, or"
                    + " receive it as " + offered.kind() + ":");
        }
        memoryBytes = MachineGuest.memoryOf(offered).orElseThrow(() -> mismatch("the source does"
                + " not say how much memory the machine has", "use one version on both sides"));
        requireRoom(regions.stream().mapToLong(Region::size).sum());
        if (handle.start()) {
            setup.room().requireMemory(memoryBytes);
        }
    }

    private void requireRoom(long bytes) throws GuestException {
        RoomClaim.Usable room;
        try {
            room = setup.room().take(folder.store(), bytes);
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "it cannot be told how much room is in "
                    + folder.path() + ": " + e, "name another folder");
        }
        if (bytes > room.bytes()) {
            throw new GuestException(ErrorCode.NO_ROOM, "the machine's disks have "
                    + (bytes + MIB - 1) / MIB + " MiB, and " + room.bytes() / MIB + " MiB are free"
                    + room.words() + " where " + folder.path() + " is",
                    "make room there, or name a folder elsewhere");
        }
    }

    @Override
    public PageStore prepare(GuestDescription offered) throws GuestException {
        requireFits(offered);
        folder.begin();
        begun = true;
        name = offered.name();
        boolean whole = false;
        try {
            disks = new DiskKind().openTarget(
                    folder.disks(offered.regions().regions().size()), setup);
            PageStore store = disks.prepare(new GuestDescription(DiskKind.SCHEME, offered.name(),
                    offered.regions(), offered.dataBytes(), offered.attributes()));
            whole = true;
            return store;
        } finally {
            if (!whole) {
                discard();
            }
        }
    }

    @Override
    public Optional<String> memoryAccess() {
        return disks == null ? Optional.empty() : disks.memoryAccess();
    }

    @Override
    public boolean readsAtOnce() {
        return false;
    }

    /** What starts it is written here, before the source is told that it may go. */
    @Override
    public void loadState(byte[] state) throws GuestException {
        try {
            Hardware machine = HardwareJson.read(state);
            if (machine.memoryBytes() != memoryBytes) {
                throw new IOException("it has another memory than was offered");
            }
            folder.describe(machine);
        } catch (IOException e) {
            throw mismatch("the description of the machine cannot be used: " + e.getMessage(),
                    "use one version on both sides, and see that " + folder.path()
                    + " can be written to");
        }
    }

    @Override
    public void resume() throws GuestException {
        disks.resume();
        handle.resume();
        started = handle.start();
    }

    /** What nobody wrote to at the source boots as well. */
    @Override
    public void arrivePaused() throws GuestException {
        resume();
    }

    @Override
    public void discard() {
        if (disks != null) {
            disks.discard();
            disks.close();
            disks = null;
        }
        try {
            folder.giveUp();
            left = null;
        } catch (IOException e) {
            left = e;
        }
    }

    @Override
    public void discardOrThrow() throws GuestException {
        discard();
        if (left != null) {
            handle.end();
        }
    }

    @Override
    public Optional<String> remark(boolean arrived) {
        if (arrived) {
            return Optional.of("the machine " + name + " is in " + folder.path()
                    + ": its disks, machine.json, machine.xml for libvirt; " + (started
                    ? new MachineStart(folder).words() : "qemu.sh starts it: " + folder.script()
                    + " -serial mon:stdio"));
        }
        return !begun ? Optional.empty() : Optional.of(left == null
                ? "what came of it into " + folder.path() + " is deleted"
                : folder.path() + " holds an unfinished machine that could not be deleted ("
                + left + "): delete it");
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    /** Two machines into one folder have the same. */
    @Override
    public String identity() {
        return MachineKind.SCHEME + ":" + folder.path();
    }

    @Override
    public Map<String, String> recoveryAddress() {
        return handle.address();
    }

    @Override
    public void close() {
        if (disks != null) {
            disks.close();
            disks = null;
        }
    }

    private static GuestException mismatch(String what, String remedy) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, what, remedy);
    }
}
