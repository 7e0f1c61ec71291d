package io.pageferry.agent.host.linux.bpf;

import io.pageferry.agent.host.linux.block.BlockDevice;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Tracks what is written to disks of this host, whoever writes it, by a program in the kernel that
 * runs whenever a request is complete: the data is on the disk, then it is marked (docs/adr/0052).
 *
 * <p>Its caller reads the disk past the page cache (O_DIRECT): what a mounted file system writes
 * never passes the cache of the disk's own file in {@code /dev}. What is dirty in a cache is
 * reported when it is written. It does not see what another host writes to a disk that both have.
 *
 * <p>A kernel may leave its programs out, and not count it, where a completion interrupts one
 * certain process. So requests are noted when they begin too. What was not seen to end is marked
 * when its request is used again, and reported by {@link #harvestPaused}: a page more, and none
 * lost.
 *
 * <p>32 MiB of kernel memory for each TiB, and some 6 for each device. Any thread; one call at a
 * time, the others wait.
 */
public final class BlockTracker implements DirtyTracker {
    /**
     * A disk or a partition that is tracked.
     *
     * @param device    as {@link BlockDevices#find} gave it; of a partition only itself is tracked
     * @param firstPage global index of its first page of 4096 bytes
     */
    public record Tracked(BlockDevice device, long firstPage) { }

    /** Begins to mark what is written to a device. */
    interface Opener {
        DiskMarks begin(RequestLayout layout, BlockDevice device) throws IOException;
    }

    private static final String SCAN = "compare contents instead (tracker scan)";
    private static final DeviceNumber NOWHERE = new DeviceNumber(0, 0);
    private static final BlockDevice NONE = new BlockDevice(NOWHERE, "none", NOWHERE, 0, 8);

    private final List<Tracked> devices;
    private final Opener opener;
    /** One for each device while it is armed. */
    private final List<DiskMarks> marks = new ArrayList<>();
    private long failures;

    BlockTracker(List<Tracked> devices, Opener opener) {
        this.devices = List.copyOf(devices);
        this.opener = opener;
    }

    /**
     * Tracks devices.
     *
     * @param host    has them
     * @param devices which, at least one, none twice and none inside another
     * @return unarmed
     * @throws IOException when what is written to one of them cannot be seen; says what to do
     */
    public static BlockTracker of(BlockDevices host, List<Tracked> devices) throws IOException {
        if (devices.isEmpty()) {
            throw new IllegalArgumentException("nothing to track");
        }
        for (Tracked tracked : devices) {
            requirePossible(host, tracked.device());
        }
        return new BlockTracker(devices, DiskMarks::begin);
    }

    /**
     * Refuses a device whose writes never become requests of its own: of device-mapper, md or
     * zram, for example, or memory that programs store to.
     *
     * @param host   has it
     * @param device a disk or a partition
     * @throws IOException when it is one; says what to do
     */
    public static void requirePossible(BlockDevices host, BlockDevice device)
            throws IOException {
        if (host.isDax(device.disk())) {
            throw new IOException("writes to " + device.name() + " cannot be tracked: it is memory"
                    + " that programs may store to (DAX): " + SCAN);
        }
        if (!host.hasRequests(device.disk())) {
            List<String> below = host.slaves(device.disk());
            throw new IOException("writes to " + device.name() + " cannot be tracked: its driver"
                    + " hands them on and completes no requests of its own: "
                    + (below.isEmpty() ? SCAN : "move the disks below it, "
                            + String.join(", ", below) + ", or " + SCAN));
        }
    }

    /**
     * Tries whether this kernel and this process's rights allow it: loads the program for a device
     * that does not exist, and removes it.
     *
     * @throws IOException when they do not; says why and what to do
     */
    public static void requireKernel() throws IOException {
        RequestLayout layout = RequestLayout.of(Btf.ofThisKernel());
        DiskMarks.begin(layout, NONE).close();
    }

    @Override
    public String name() {
        return "bpf";
    }

    @Override
    public synchronized void start() throws TrackerException {
        if (!marks.isEmpty()) {
            throw new IllegalStateException("already armed");
        }
        try {
            RequestLayout layout = RequestLayout.of(Btf.ofThisKernel());
            for (Tracked tracked : devices) {
                marks.add(opener.begin(layout, tracked.device()));
            }
        } catch (IOException e) {
            close();
            throw new TrackerException("tracking cannot start: " + e.getMessage(), e);
        }
    }

    /** {@inheritDoc} Where the kernel left a run out, every page was marked before it throws. */
    @Override
    public synchronized void harvest(DirtyBitmap into) throws TrackerException {
        if (marks.isEmpty()) {
            throw new IllegalStateException("not armed");
        }
        long missed = 0;
        try {
            for (int i = 0; i < marks.size(); i++) {
                marks.get(i).harvest(into, devices.get(i).firstPage());
                missed += marks.get(i).takeMissed();
            }
        } catch (IOException e) {
            throw everything(into, e.getMessage(), e);
        }
        if (missed > 0) {
            throw everything(into, "the kernel left out " + missed + " runs of the program that"
                    + " marks", null);
        }
    }

    /**
     * {@inheritDoc} What began to be written and was not seen to end counts as written: nothing is
     * under way any more.
     */
    @Override
    public synchronized void harvestPaused(DirtyBitmap into) throws TrackerException {
        harvest(into);
        try {
            for (int i = 0; i < marks.size(); i++) {
                marks.get(i).reportOpen(into, devices.get(i).firstPage());
            }
        } catch (IOException e) {
            throw everything(into, e.getMessage(), e);
        }
    }

    private TrackerException everything(DirtyBitmap into, String why, IOException cause) {
        failures++;
        into.markAll();
        return new TrackerException("every page counts as written: " + why, cause);
    }

    /** {@return false: a disk has no holes, and what is given back is reported} */
    @Override
    public boolean mayMissHoles() {
        return false;
    }

    /**
     * Counts harvests that failed since the tracker was made.
     *
     * @return 0 in a migration that went well
     */
    public synchronized long failures() {
        return failures;
    }

    /** Ends the programs; nothing of it stays in the kernel. */
    @Override
    public synchronized void close() {
        marks.forEach(DiskMarks::close);
        marks.clear();
    }
}
