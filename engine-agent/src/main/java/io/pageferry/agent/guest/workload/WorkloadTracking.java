package io.pageferry.agent.guest.workload;

import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.host.linux.userfault.UserfaultTracker;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.MarkingTracker;
import io.pageferry.core.dirty.ScanTracker;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.GuestException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * How the writes of an embedded guest are seen.
 *
 * @param tracker of its pages
 * @param marks   to be called at each write; does nothing where the kernel sees it
 * @param reason  why this one
 */
record WorkloadTracking(DirtyTracker tracker, LongConsumer marks, String reason) {
    /**
     * Chooses the tracker.
     *
     * @param wanted  {@link TrackerChoice#AUTO}: the kernel where it can, else its own marks
     * @param regions of the guest, mapped once
     */
    static WorkloadTracking choose(TrackerChoice wanted, MappedRegions regions)
            throws GuestException {
        return switch (wanted) {
            case AUTO -> automatic(KernelProbe.run(), regions);
            case USERFAULTFD -> byKernel(KernelProbe.run(), regions);
            case MARKING -> marking(regions, "the embedded guest marks its own writes");
            case SCAN -> new WorkloadTracking(new ScanTracker(regions), page -> { },
                    "it compares what the memory holds with what was sent");
            case DIRTY_LOG, BPF -> throw new IllegalArgumentException("--tracker " + wanted.label()
                    + " cannot follow a workload: there are auto, userfaultfd, marking and scan");
        };
    }

    /** What {@code auto} makes of what the kernel can do. */
    static WorkloadTracking automatic(List<KernelProbe.Step> steps, MappedRegions regions) {
        if (KernelProbe.canTrackSelf(steps)) {
            return userfault(regions);
        }
        return marking(regions, "the embedded guest marks its own writes, because the kernel "
                + "does not track them here: " + KernelProbe.summary(steps));
    }

    /** What {@code userfaultfd} makes of it. */
    static WorkloadTracking byKernel(List<KernelProbe.Step> steps, MappedRegions regions)
            throws GuestException {
        if (!KernelProbe.canTrackSelf(steps)) {
            throw new GuestException(ErrorCode.HOST_FAILED, "the kernel does not track writes "
                    + "here: " + KernelProbe.summary(steps), "use --tracker marking");
        }
        return userfault(regions);
    }

    /**
     * Writes are noted by the kernel without stopping the writer: a thread that waited for
     * another one of its own JVM in a page fault could stop the JVM for ever.
     */
    private static WorkloadTracking userfault(MappedRegions regions) {
        List<UserfaultTracker.Range> ranges = new ArrayList<>();
        for (Region region : regions.regions().regions()) {
            ranges.add(new UserfaultTracker.Range(regions.window(region.id()).address(),
                    region.size(), regions.regions().firstPage(region.id())));
        }
        return new WorkloadTracking(UserfaultTracker.ofSelf(ranges).within(regions), page -> { },
                "the kernel tracks the writes of this process (userfaultfd and PAGEMAP_SCAN)");
    }

    private static WorkloadTracking marking(MappedRegions regions, String reason) {
        MarkingTracker tracker = new MarkingTracker(regions.regions().pageCount());
        return new WorkloadTracking(tracker, tracker::mark, reason);
    }
}
