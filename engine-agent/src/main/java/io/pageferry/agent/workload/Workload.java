package io.pageferry.agent.workload;

import io.pageferry.agent.guest.GuestCheck;
import io.pageferry.agent.guest.MappedRegions;
import io.pageferry.agent.linux.LinuxException;
import io.pageferry.agent.linux.SharedMemory;
import io.pageferry.core.link.ErrorCode;
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

    /** Makes the memory: one region in a memfd, all hole. */
    static MappedRegions memory(WorkloadSpec spec) throws GuestException {
        try {
            SharedMemory file = SharedMemory.create("pageferry-workload", spec.size());
            return new MappedRegions(RegionTable.single("ram", spec.size()),
                    List.of(new MappedRegions.Part(file, 0)));
        } catch (LinuxException refused) {
            throw new GuestException(ErrorCode.NO_ROOM, "no memory of " + spec.size()
                    + " bytes can be had here: " + refused.getMessage(), "ask for less");
        }
    }

    /** The check at the end of a source that kept its guest, or of a target. */
    static GuestCheck check(GuestCheck ticks, StampedMemory memory, WorkloadEngine engine) {
        engine.pause();
        return new GuestCheck(ticks.ticksSource(), ticks.ticksTarget(), ticks.lostTicks(),
                engine.failures() + memory.sweep());
    }
}
