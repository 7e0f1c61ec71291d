package io.pageferry.agent.workload;

import io.pageferry.agent.guest.MappedRegions;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.MarkingTracker;
import io.pageferry.core.migration.GuestException;
import java.util.function.LongConsumer;

/**
 * How the writes of an embedded guest are seen.
 *
 * @param tracker of its pages
 * @param marks   to be told of each write; does nothing where the kernel sees it
 * @param reason  why this one
 */
record WorkloadTracking(DirtyTracker tracker, LongConsumer marks, String reason) {
    static WorkloadTracking choose(String wanted, MappedRegions regions) throws GuestException {
        return switch (wanted) {
            case "auto", "marking" -> marking(regions, "the embedded guest marks its own writes");
            default -> throw new IllegalArgumentException("--tracker " + wanted
                    + " cannot follow a workload: there are auto and marking");
        };
    }

    private static WorkloadTracking marking(MappedRegions regions, String reason) {
        MarkingTracker tracker = new MarkingTracker(regions.regions().pageCount());
        return new WorkloadTracking(tracker, tracker::mark, reason);
    }
}
