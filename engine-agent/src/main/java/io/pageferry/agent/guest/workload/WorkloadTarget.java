package io.pageferry.agent.guest.workload;

import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.room.HostMemory;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.agent.host.process.InProcess;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.migration.GuestException;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.Map;
import java.util.Optional;

/** An embedded guest at the target: memory that is filled, then carries on in this agent. */
final class WorkloadTarget implements TargetGuest {
    private static final long SEED = 1;

    private final WorkloadSpec spec;
    private final RoomClaim room;
    private RegionFiles regions;
    /** The guest's own way to its memory, whichever way it was filled. */
    private Arena mapping;
    private Optional<String> access = Optional.empty();
    private StampedMemory memory;
    private WorkloadEngine engine;
    private GuestDescription offered;
    private long sourceTick;
    private long lostTicks;
    private boolean resumed;

    WorkloadTarget(WorkloadSpec spec, GuestSetup setup) throws GuestException {
        this.spec = spec;
        this.room = setup.room();
        this.regions = image();
        if (setup.prealloc()) {
            populate();
        }
    }

    @Override
    public void requireFits(GuestDescription guest) throws GuestException {
        if (!guest.kind().equals(Workload.SCHEME)) {
            throw mismatch("a " + guest.kind() + " guest cannot become a workload",
                    "receive it as " + guest.kind() + ": or image:");
        }
        if (guest.regions().totalBytes() != spec.size()) {
            throw mismatch("the guest has " + guest.regions().totalBytes() + " bytes, workload: "
                    + "here " + spec.size(), "start receive with workload:"
                    + guest.regions().totalBytes() + "B");
        }
        room.requireMemory(Math.max(0, guest.dataBytes() - regionsData()));
    }

    @Override
    public PageStore prepare(GuestDescription guest) throws GuestException {
        requireFits(guest);
        if (regions == null) {
            regions = image();
        }
        offered = guest;
        access = Optional.of(regions.access().label());
        return regions;
    }

    @Override
    public void loadState(byte[] state) throws GuestException {
        try {
            WorkloadSpec running = new WorkloadSpec(spec.size(),
                    attribute(Workload.SET), attribute(Workload.RATE), spec.fill(),
                    spec.huge());
            mapping = Arena.ofShared();
            memory = new StampedMemory(regions.map(0, mapping), running.set(), page -> { });
            engine = new WorkloadEngine(memory, running, SEED);
            sourceTick = engine.load(new DataInputStream(new ByteArrayInputStream(state)));
        } catch (IOException | NumberFormatException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED,
                    "cannot load the workload's state: " + e.getMessage(), "");
        }
    }

    @Override
    public void resume() {
        // The tick also travelled in memory: a difference is a tick that the guest lost.
        lostTicks = Math.abs(sourceTick - memory.tick());
        engine.start();
        resumed = true;
    }

    @Override
    public Optional<String> memoryAccess() {
        return access;
    }

    @Override
    public void discardOrThrow() {
        if (engine != null) {
            engine.close();
            engine = null;
        }
        if (mapping != null) {
            mapping.close();
            mapping = null;
        }
        if (regions != null) {
            regions.close();
            regions = null;
        }
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    @Override
    public String identity() {
        return Workload.SCHEME + ":" + InProcess.nameOf(this);
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
        if (engine == null || !resumed) {
            return Optional.empty();
        }
        return Optional.of(Workload.check(
                new GuestCheck(sourceTick, engine.ticksHere(), lostTicks, null), memory, engine));
    }

    @Override
    public void close() {
        discardOrThrow();
    }

    private RegionFiles image() throws GuestException {
        return Workload.memory(spec, (table, parts) -> RegionFiles.open(table, parts, true));
    }

    private long attribute(String key) {
        return Long.parseLong(offered.attributes().getOrDefault(key, ""));
    }

    private long regionsData() {
        return regions == null ? 0 : regions.dataBytes();
    }

    private void populate() throws GuestException {
        HostMemory.requireRoomFor(spec.size());
        try {
            regions.populate();
        } catch (LinuxException e) {
            throw new GuestException(ErrorCode.NO_ROOM, "--prealloc: " + e.getMessage(),
                    "free memory or leave --prealloc out");
        }
    }

    private static GuestException mismatch(String what, String remedy) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, what, remedy);
    }
}
