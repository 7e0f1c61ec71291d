package io.pageferry.agent.guest.workload;

import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.util.List;

/** What an embedded guest's two ends share. */
final class Workload {
    static final String SCHEME = "workload";
    static final String RATE = "rate";
    static final String SET = "set";

    private Workload() {
    }

    /** Opens memory, one way or another. */
    @FunctionalInterface
    interface Opener<M extends RegionFiles> {
        M open(RegionTable regions, List<RegionFiles.Part> parts) throws LinuxException;
    }

    /** Makes the memory: one region in a memfd, all hole. */
    static <M extends RegionFiles> M memory(WorkloadSpec spec, Opener<M> opener)
            throws GuestException {
        try {
            String name = "pageferry-workload";
            SharedMemory file = spec.huge() ? SharedMemory.createHuge(name, spec.size())
                    : SharedMemory.create(name, spec.size());
            Region ram = new Region(0, "ram", 0, spec.size(), file.granule());
            return opener.open(new RegionTable(List.of(ram)),
                    List.of(new RegionFiles.Part(file, 0)));
        } catch (LinuxException e) {
            throw new GuestException(ErrorCode.NO_ROOM, "no memory of " + spec.size()
                    + " bytes can be had here: " + e.getMessage(), spec.huge()
                    ? "set huge pages aside (vm.nr_hugepages), or ask for less" : "ask for less");
        }
    }

    /** The check at the end of a source that kept its guest, or of a target. */
    static GuestCheck check(GuestCheck ticks, StampedMemory memory, WorkloadEngine engine) {
        engine.pause();
        return new GuestCheck(ticks.ticksSource(), ticks.ticksTarget(), ticks.lostTicks(),
                engine.failures() + memory.sweep());
    }
}
