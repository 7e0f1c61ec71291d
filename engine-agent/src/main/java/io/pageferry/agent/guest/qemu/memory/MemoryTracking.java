package io.pageferry.agent.guest.qemu.memory;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.qemu.check.DiskDrain;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.agent.host.linux.userfault.UserfaultTracker;
import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.DrainedTracker;
import io.pageferry.core.dirty.JoinedTracker;
import io.pageferry.core.dirty.ScanTracker;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How the writes of a QEMU are tracked.
 *
 * @param tracker unarmed, the caller's to close
 * @param reason  why it was chosen, one line
 * @param drained a part of it, where what disks write is waited for
 * @param backends those whose writes are tracked beside QEMU's
 */
public record MemoryTracking(DirtyTracker tracker, String reason,
        Optional<DrainedTracker> drained, TrackedBackends backends) {
    /**
     * Refuses a tracker that cannot follow a QEMU here.
     *
     * @param pid    QEMU's
     * @param wanted which tracker
     * @throws GuestException           when this host or this process does not allow it
     * @throws IllegalArgumentException when it is one of other guests
     */
    public static void require(long pid, TrackerChoice wanted) throws GuestException {
        if (wanted == TrackerChoice.SCAN) {
            return;
        }
        if (wanted != TrackerChoice.AUTO && wanted != TrackerChoice.USERFAULTFD) {
            throw new IllegalArgumentException("--tracker " + wanted.label()
                    + " cannot follow a QEMU guest: there are auto, userfaultfd and scan");
        }
        List<KernelProbe.Step> steps = KernelProbe.run();
        if (!KernelProbe.canTrackOthers(steps)) {
            throw new GuestException(ErrorCode.HOST_FAILED, "this host cannot track the writes of"
                    + " another process: " + KernelProbe.summary(steps),
                    "run as root on Linux 6.7 or newer, or use --tracker scan");
        }
        try {
            RemoteUserfault.requirePossible(pid);
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, e.getMessage(), "");
        }
    }

    /**
     * What writes to the RAM, beside the guest.
     *
     * @param backends other processes
     * @param drain    waits for what disks write to pages that were pinned, where some do
     */
    public record Writers(TrackedBackends backends, Optional<DiskDrain> drain) { }

    /**
     * Makes the tracker.
     *
     * @param pid     QEMU's
     * @param setup   which one, and how a userfaultfd is got
     * @param memory  where QEMU maps the RAM
     * @param regions the same memory; stays the caller's
     * @param writers what else writes there
     * @return the tracker
     */
    public static MemoryTracking of(long pid, GuestSetup setup, QemuMemory memory,
            RegionMemory regions, Writers writers) {
        TrackedBackends backends = writers.backends();
        if (setup.tracker() == TrackerChoice.SCAN) {
            return new MemoryTracking(new ScanTracker(regions), "it compares what QEMU's memory"
                    + " holds with what was sent, and touches nothing", Optional.empty(),
                    backends);
        }
        List<UserfaultTracker> all = new ArrayList<>(List.of(UserfaultTracker.ofProcess(pid,
                () -> setup.injector().userfault(pid), memory.ranges()).within(regions)));
        all.addAll(backends.track(setup.injector(), regions));
        DirtyTracker stores = all.size() == 1 ? all.getFirst() : new JoinedTracker(all);
        Optional<DrainedTracker> drained = writers.drain().map(one ->
                new DrainedTracker(stores, one, System::nanoTime));
        // QEMU never writes its RAM by the descriptor that it holds of it.
        return new MemoryTracking(regions.watched(drained.<DirtyTracker>map(one -> one)
                .orElse(stores), false), "it sees every write to QEMU's memory from outside, by "
                + KernelProbe.summary(KernelProbe.run())
                + (drained.isEmpty() ? "" : ", and waits for disks that write unseen")
                + backends.names().stream().map(one -> ", and sees those of " + one)
                .collect(Collectors.joining()), drained, backends);
    }
}
