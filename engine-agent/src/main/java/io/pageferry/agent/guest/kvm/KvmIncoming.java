package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.room.HostMemory;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.process.InProcess;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.MemoryImage;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/** A machine that waits for a guest to come. Owns it until {@link #handOver}. */
public final class KvmIncoming implements TargetGuest {
    /** Makes a machine that stands, with memory that is all zero. */
    interface Maker {
        /** Makes it anew each time. */
        Machine make() throws GuestException;
    }

    private final Maker maker;
    private final RoomClaim room;
    private Machine machine;
    private long countAtFirst;
    private long lost;
    private boolean resumed;

    /** Makes the machine at once: where that fails, the agent need not listen. */
    KvmIncoming(Maker maker, RoomClaim room) throws GuestException {
        this.maker = maker;
        this.room = room;
        this.machine = maker.make();
    }

    @Override
    public void requireFits(GuestDescription offered) throws GuestException {
        if (!offered.kind().equals(KvmSpec.SCHEME)) {
            throw mismatch("a " + offered.kind() + " guest cannot become a kvm guest",
                    "receive it as " + offered.kind() + ": or image:");
        }
        if (machine == null) {
            return; // it is made for the first page, and looked at then
        }
        if (!offered.regions().equals(machine.memory().regions())) {
            throw mismatch("the guest has " + offered.regions().totalBytes() + " bytes, kvm: here "
                    + machine.memory().regions().totalBytes(), "start receive with kvm:"
                    + offered.regions().totalBytes() + "B");
        }
        room.requireMemory(
                Math.max(0, offered.dataBytes() - machine.memory().dataBytes()));
    }

    @Override
    public MemoryImage prepare(GuestDescription offered) throws GuestException {
        if (machine == null) {
            machine = maker.make();
        }
        requireFits(offered);
        return machine.memory();
    }

    @Override
    public void loadState(byte[] state) throws GuestException {
        try {
            MachineState loaded = MachineState.of(state);
            if (!GuestProgram.isSound(loaded.general(), machine.ram().byteSize())) {
                throw new IOException("its registers point outside of its memory");
            }
            machine.state(loaded);
            countAtFirst = GuestProgram.count(loaded.general());
            lost = GuestProgram.lost(machine.ram(), loaded.general());
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED,
                    "cannot load the machine's state: " + e.getMessage(), "");
        }
    }

    @Override
    public void resume() {
        machine.resume();
        resumed = true;
    }

    @Override
    public void discardOrThrow() {
        if (machine != null) {
            machine.close();
            machine = null;
        }
    }

    @Override
    public Optional<String> ended() {
        return machine == null ? Optional.empty() : machine.ended();
    }

    @Override
    public void close() {
        discardOrThrow();
    }

    /** {@return pages that the guest wrote before it arrived} */
    public long arrivedAt() {
        return countAtFirst;
    }

    /** {@return ticks by which memory and registers contradicted each other when it arrived} */
    public long lostTicks() {
        return lost;
    }

    /**
     * Gives the machine with the guest that runs in it.
     *
     * @return the machine, the caller's from now on
     */
    public Machine handOver() {
        Machine given = machine;
        machine = null;
        return given;
    }

    // What follows is for the agents of the command line.

    @Override
    public String identity() {
        return KvmSpec.SCHEME + ":" + InProcess.nameOf(this);
    }

    @Override
    public Map<String, String> recoveryAddress() {
        return Map.of();
    }

    @Override
    public boolean livesInAgent() {
        return resumed;
    }

    @Override
    public Optional<GuestCheck> check() {
        if (machine == null || !resumed) {
            return Optional.empty();
        }
        try {
            long failures = machine.check();
            return Optional.of(new GuestCheck(countAtFirst,
                    machine.standingCount() - countAtFirst, lost, failures));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Gives every page storage before anything comes. */
    void populate() throws GuestException {
        HostMemory.requireRoomFor(machine.ram().byteSize());
        try {
            machine.memory().populate();
        } catch (LinuxException e) {
            throw new GuestException(ErrorCode.NO_ROOM, "--prealloc: " + e.getMessage(),
                    "free memory or leave --prealloc out");
        }
    }

    private static GuestException mismatch(String what, String remedy) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, what, remedy);
    }
}
