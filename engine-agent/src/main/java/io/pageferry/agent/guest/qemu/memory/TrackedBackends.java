package io.pageferry.agent.guest.qemu.memory;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.qemu.check.Objection;
import io.pageferry.agent.guest.qemu.check.VhostUserDevices;
import io.pageferry.agent.guest.qemu.memory.RamWriters.Backend;
import io.pageferry.agent.host.linux.userfault.UserfaultTracker;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The vhost-user backends of a QEMU that are tracked with it, as they were when the guest was
 * opened. A mapping that comes later is not tracked, so a move ends where anything of them changes.
 * The migration's one thread, but for {@link #changes}.
 */
public final class TrackedBackends {
    /** What all processes have mapped takes tens of ms to read: one part in so many of the time. */
    private static final long LOOK_PART = 50;
    private static final String AGAIN = "move it again";

    private final long pid;
    private final List<MemoryPart> parts;
    private final VhostUserDevices devices;
    private final RamWriters first;
    private final List<UserfaultTracker> trackers = new ArrayList<>();
    /** Null where no tracker of writes was made. */
    private GuestSetup.Injector injector;
    private long nextLook = System.nanoTime();

    private TrackedBackends(long pid, List<MemoryPart> parts, VhostUserDevices devices) {
        this.pid = pid;
        this.parts = parts;
        this.devices = devices;
        this.first = RamWriters.of(pid, parts, devices);
    }

    static TrackedBackends of(long pid, List<MemoryPart> parts, VhostUserDevices devices) {
        return new TrackedBackends(pid, parts, devices);
    }

    /** {@return what stands in the way of tracking all that writes to the RAM} */
    public List<Objection> objections() {
        List<Objection> found = new ArrayList<>(first.objections());
        found.addAll(RamWriters.unseen(pid, devices));
        return found;
    }

    /** {@return the processes that are tracked too, by number and name} */
    public List<String> names() {
        return first.backends().stream().map(Backend::who).toList();
    }

    /**
     * Makes their trackers.
     *
     * @param by     how a userfaultfd is got
     * @param memory the guest's, of the same page indexes
     * @return unarmed, one for each of them; the caller's to close
     */
    List<UserfaultTracker> track(GuestSetup.Injector by, PagedMemory memory) {
        injector = by;
        for (Backend one : first.backends()) {
            trackers.add(UserfaultTracker.ofForking(one.pid(),
                    () -> by.userfaultOfForking(one.pid()), one.ranges()).within(memory));
        }
        return List.copyOf(trackers);
    }

    /**
     * Checks, of a guest that may run, that all of them are there and write through the mappings
     * that are tracked. Looks for others now and then only.
     *
     * @throws GuestException where not: what was written meanwhile may be lost
     */
    public void requireUnchanged() throws GuestException {
        if (injector == null || devices.isEmpty()) {
            return; // contents are compared, or there is nobody
        }
        requireNoFork();
        long now = System.nanoTime();
        if (now - nextLook >= 0) {
            Objection.refuse(changes());
            long done = System.nanoTime();
            nextLook = done + (done - now) * LOOK_PART;
        }
    }

    /** The writes of a child are not tracked, also where it ends at once. */
    private void requireNoFork() throws GuestException {
        try {
            for (int i = 0; i < trackers.size(); i++) {
                if (trackers.get(i).hasForked()) {
                    throw forked(first.backends().get(i).who());
                }
            }
            if (!trackers.isEmpty() && injector.letForkGo()) {
                throw forked((trackers.size() == 1 ? "" : "one of ")
                        + String.join(", ", names()));
            }
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "whether a vhost-user backend forked"
                    + " cannot be told: " + e.getMessage(), AGAIN);
        }
    }

    private static GuestException forked(String who) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, who + " forked while the guest moved,"
                + " and the writes of its child are not tracked", AGAIN);
    }

    /**
     * Lists what is not as it was. From any thread; tens of milliseconds.
     *
     * @return objections, of trackers of writes only
     */
    List<Objection> changes() {
        RamWriters now = RamWriters.of(pid, parts, devices);
        List<Objection> found = new ArrayList<>(now.objections());
        for (Backend one : first.backends()) {
            now.backends().stream().filter(one::isSameProcess).findFirst().ifPresentOrElse(same -> {
                if (!same.ranges().equals(one.ranges())) {
                    found.add(changed(one.who() + " mapped the guest's RAM anew",
                            "the guest or its driver was reset, or QEMU connected again"));
                }
            }, () -> found.add(changed(one.who() + " ended, or no longer maps the guest's RAM",
                    "it was ended, or the guest let go of its device")));
        }
        now.backends().stream().filter(one -> first.backends().stream()
                .noneMatch(one::isSameProcess)).forEach(one -> found.add(changed(one.who()
                + " mapped the guest's RAM", "it was started, or the guest took its device")));
        return found;
    }

    private static Objection changed(String what, String why) {
        return Objection.tracking(what + " while the guest moved", why
                + ", and what it wrote is not all tracked", AGAIN);
    }

    /**
     * Checks, of a guest that stands still, that none of them wrote since the last harvest. Its
     * marks are taken for that: after an exception everything counts as written.
     *
     * @param regions the guest's
     * @throws GuestException where one did
     */
    public void requireStill(RegionTable regions) throws GuestException {
        requireNoFork();
        for (int i = 0; i < trackers.size(); i++) {
            String who = first.backends().get(i).who();
            try (DirtyBitmap late = new DirtyBitmap(regions.pageCount())) {
                trackers.get(i).harvest(late);
                if (late.count() > 0) {
                    throw new GuestException(ErrorCode.GUEST_FAILED, who + " wrote to "
                            + late.count() + " pages of the guest's RAM, from page "
                            + late.nextMarked(0) + " on, while the guest stood still",
                            "use a backend that finishes its requests at GET_VRING_BASE");
                }
            } catch (TrackerException e) {
                throw new GuestException(ErrorCode.GUEST_FAILED, "whether " + who + " wrote while"
                        + " the guest stood still cannot be told: " + e.getMessage(), AGAIN);
            }
        }
    }
}
