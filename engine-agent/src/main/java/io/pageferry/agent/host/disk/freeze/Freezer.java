package io.pageferry.agent.host.disk.freeze;

import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.agent.host.linux.block.Mount;
import io.pageferry.agent.host.linux.block.MountedFilesystem;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.agrona.CloseHelper;

/**
 * Freezes every file system that lies on disks: what stands on others first, the root last. From
 * the return of {@link #freeze} until {@link #thaw} nothing is written to the disks but what
 * {@link #unfreezable} names. Its mounts cannot be unmounted until it is closed, so open it when
 * the end is near. One thread.
 *
 * <p>Nothing that hangs in the kernel holds its caller up: freezing is done on a thread of its own,
 * which nobody waits for behind the deadline, and which thaws by itself what it froze after that.
 */
public final class Freezer implements AutoCloseable {
    private final BlockDevices host;
    private final List<DeviceNumber> disks;
    private final DiskUse use;
    private final List<FrozenMounts.Place> places = new ArrayList<>();
    private final List<MountedFilesystem> mounts = new ArrayList<>();
    private final List<String> unfreezable = new ArrayList<>();
    /** All that was begun; some of it may hang. */
    private final List<FreezeRun> begun = new ArrayList<>();
    private FreezeRun run;

    private Freezer(BlockDevices host, Collection<DeviceNumber> disks) throws IOException {
        this.host = host;
        this.disks = List.copyOf(disks);
        this.use = DiskUse.of(host, disks);
    }

    /**
     * Finds what lies on disks and opens its roots.
     *
     * @param host  has the disks
     * @param disks or partitions
     * @return the caller's to close; nothing is frozen
     * @throws IOException when something on them cannot be told or frozen, or this process itself
     *                     writes to it; says what to do
     */
    public static Freezer open(BlockDevices host, Collection<DeviceNumber> disks)
            throws IOException {
        Freezer freezer = new Freezer(host, disks);
        boolean opened = false;
        try {
            freezer.use.requireKnown();
            for (DiskUse.Filesystem one : freezer.use.filesystems()) {
                freezer.add(one);
            }
            Thawer.requireFree(freezer.record(Duration.ZERO));
            freezer.use.swaps().forEach(swap -> freezer.unfreezable.add("swap " + swap));
            opened = true;
            return freezer;
        } finally {
            if (!opened) {
                freezer.close();
            }
        }
    }

    /**
     * Returns whether any file system lies on a disk.
     *
     * @param host has it
     * @param disk or partition
     * @return true where one is mounted that this process sees
     * @throws IOException when that cannot be told
     */
    public static boolean isMounted(BlockDevices host, DeviceNumber disk) throws IOException {
        return !DiskUse.of(host, List.of(disk)).filesystems().isEmpty();
    }

    /**
     * Returns whether a file or folder lies on disks.
     *
     * @param host  has them
     * @param disks or partitions
     * @param path  of something that is there
     * @return true where it would be frozen with them
     * @throws IOException when that cannot be told
     */
    public static boolean freezes(BlockDevices host, Collection<DeviceNumber> disks, Path path)
            throws IOException {
        return DiskUse.of(host, disks).holds(path);
    }

    /**
     * Thaws whatever lies on disks, for a process that is gone. Does nothing where nothing is
     * frozen.
     *
     * @param host  has the disks
     * @param disks or partitions
     * @return where what was frozen is mounted
     * @throws IOException when something could not be thawed
     */
    public static List<Path> thawAll(BlockDevices host, Collection<DeviceNumber> disks)
            throws IOException {
        try (Freezer freezer = new Freezer(host, disks)) {
            for (DiskUse.Filesystem one : freezer.use.filesystems()) {
                freezer.add(one);
            }
            return new Thawer(freezer.mounts).thaw();
        }
    }

    /** By whichever of its mounts is not hidden. */
    private void add(DiskUse.Filesystem one) throws IOException {
        IOException hidden = null;
        for (Mount mount : one.mounts()) {
            try {
                mounts.add(MountedFilesystem.open(mount.point(), mount.id()));
                places.add(new FrozenMounts.Place(mount.id(), mount.device(), mount.point()));
                return;
            } catch (IOException e) {
                hidden = e;
            }
        }
        throw hidden;
    }

    /** {@return where the file systems are mounted, in the order of freezing} */
    public List<Path> mountPoints() {
        return places.stream().map(FrozenMounts.Place::point).toList();
    }

    /**
     * Names what goes on being written, for reports: swap, and from {@link #freeze} on also file
     * systems of a kind that cannot be frozen, vfat for example. Who wants to know whether it was
     * written harvests twice.
     *
     * @return words such as {@code swap /dev/sda2} or {@code /boot/efi}
     */
    public List<String> unfreezable() {
        return List.copyOf(unfreezable);
    }

    /**
     * Refuses a file or folder that would be frozen: what this program itself needs to go on, its
     * state directory for one.
     *
     * @param path of something that is there
     * @param what names it for people
     * @throws IOException when it lies on the disks, or that cannot be told; says what to do
     */
    public void requireElsewhere(Path path, String what) throws IOException {
        if (use.holds(path)) {
            throw new IOException(what + " " + path + " lies on a disk that is moved, and would be"
                    + " frozen with it: give one on another disk, or in /run");
        }
    }

    /**
     * Returns what another process needs to thaw the file systems where this one dies.
     *
     * @param limit how long they may stay frozen
     * @return all of them
     */
    public FrozenMounts record(Duration limit) {
        return new FrozenMounts(places, limit);
    }

    /**
     * Writes what is dirty in the caches, all file systems at once. Outside the pause: freezing has
     * little to write then.
     *
     * @param deadline by System.nanoTime
     * @throws IOException when a disk fails, or does not end in time: it goes on then
     */
    public void sync(long deadline) throws IOException {
        List<FreezeRun> runs = mounts.stream()
                .map(mount -> begin("sync " + mount, syncing -> mount.sync())).toList();
        for (FreezeRun one : runs) {
            one.await(deadline, "what is dirty in the caches cannot be written in time");
        }
    }

    private FreezeRun begin(String name, FreezeRun.Work work) {
        FreezeRun one = FreezeRun.begin(name, work);
        begun.add(one);
        return one;
    }

    /**
     * Freezes all of them. Behind it everything that was written before is on the disks.
     *
     * @param deadline by System.nanoTime
     * @throws IOException when one cannot be frozen, is not frozen in time, or is frozen by
     *                     somebody else, or when one was mounted since this was opened; nothing
     *                     stays frozen then
     */
    public void freeze(long deadline) throws IOException {
        if (run != null) {
            throw new IllegalStateException("frozen already");
        }
        run = begin("freeze", this::freezeAll);
        boolean frozen = false;
        try {
            run.await(deadline, "file systems do not freeze in time, because their disk hangs or"
                    + " is too slow for what is dirty");
            requireSameMounts();
            frozen = true;
        } finally {
            if (!frozen) {
                thaw();
            }
        }
        unfreezable.addAll(run.impossible());
    }

    private void freezeAll(FreezeRun freezing) throws IOException {
        for (MountedFilesystem mount : mounts) {
            freezing.freeze(mount);
        }
    }

    private void requireSameMounts() throws IOException {
        Set<DeviceNumber> found = new HashSet<>();
        DiskUse.of(host, disks).filesystems().forEach(one -> found.add(one.device()));
        places.forEach(place -> found.remove(place.device()));
        if (!found.isEmpty()) {
            throw new IOException("a file system was mounted meanwhile (" + found
                    + "): it is not frozen; try again");
        }
    }

    /**
     * Makes sure that nobody thawed them: a guard whose limit has passed, for example. Ask it
     * behind the last read.
     *
     * @param deadline by System.nanoTime
     * @throws IOException when one is not frozen any more; all are thawed then
     */
    public void requireFrozen(long deadline) throws IOException {
        if (run == null) {
            throw new IllegalStateException("not frozen");
        }
        List<MountedFilesystem> frozen = run.frozen();
        FreezeRun check = begin("check", checking -> {
            for (MountedFilesystem mount : frozen) {
                checking.recheck(mount);
            }
        });
        boolean right = false;
        try {
            check.await(deadline, "it cannot be told whether everything is frozen");
            right = true;
        } finally {
            if (!right) {
                check.undo();
                thaw();
            }
        }
    }

    /**
     * Lets all of them go on, what was frozen last first. Idempotent.
     *
     * @throws IOException when one could not be thawed; the others are
     */
    public void thaw() throws IOException {
        if (run != null) {
            FreezeRun ended = run;
            run = null;
            ended.undo();
        }
    }

    /** Lets go of the mounts; what is frozen stays so. */
    public void leave() throws IOException {
        run = null;
        close();
    }

    /** Thaws what is frozen and lets go of the mounts, at the latest when nothing hangs. */
    @Override
    public void close() throws IOException {
        try {
            thaw();
        } finally {
            if (begun.stream().allMatch(FreezeRun::isOver)) {
                CloseHelper.closeAll(mounts);
            } else {
                // What hangs still needs its descriptor, for thawing.
                Thread.ofPlatform().daemon().name("close").start(() -> {
                    begun.forEach(FreezeRun::join);
                    CloseHelper.closeAll(mounts);
                });
            }
        }
    }
}
