package io.pageferry.agent.host.disk.freeze;

import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.agent.host.linux.block.LoopDevice;
import io.pageferry.agent.host.linux.block.Mount;
import io.pageferry.agent.host.linux.block.SwapAreas;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What lies on disks: their partitions, what device-mapper, md and loop make of those, the file
 * systems and the swap on any of them. As it is at one moment.
 */
final class DiskUse {
    private static final String BTRFS = "btrfs";

    private final BlockDevices host;
    private final List<Mount> mounts;
    private final List<LoopDevice> loops;
    /** How many devices each stands above the disks. */
    private final Map<DeviceNumber, Integer> levels = new TreeMap<>();
    private final Map<Path, DeviceNumber> swaps = new LinkedHashMap<>();

    private DiskUse(BlockDevices host, List<Mount> mounts, List<LoopDevice> loops) {
        this.host = host;
        this.mounts = mounts;
        this.loops = loops;
    }

    /** One file system, and where it is mounted, each place once. */
    record Filesystem(DeviceNumber device, int level, List<Mount> mounts) {
        private boolean isRoot() {
            return mounts.stream().anyMatch(mount -> mount.point().getNameCount() == 0);
        }

        private int depth() {
            return mounts.stream().mapToInt(mount -> mount.point().getNameCount()).max()
                    .orElse(0);
        }
    }

    /** What stands above comes first: freezing it still writes to what is below. Root is last. */
    private static final Comparator<Filesystem> ORDER = Comparator
            .comparingInt((Filesystem one) -> -one.level()).thenComparing(Filesystem::isRoot)
            .thenComparingInt(one -> -one.depth()).thenComparing(Filesystem::device);

    /**
     * Looks for it.
     *
     * @param host  has the disks
     * @param disks or partitions
     * @throws IOException when one of them is not there, or what lies on it cannot be told
     */
    static DiskUse of(BlockDevices host, Collection<DeviceNumber> disks) throws IOException {
        DiskUse use = new DiskUse(host, Mount.all(), host.loops());
        for (DeviceNumber disk : disks) {
            use.add(disk, 0);
        }
        use.addSwaps();
        return use;
    }

    /** Adds a device and all that stands on it. A device that stands on two is above both. */
    private void add(DeviceNumber device, int level) throws IOException {
        if (levels.getOrDefault(device, -1) >= level) {
            return;
        }
        levels.put(device, level);
        if (device.major() != 0) {
            for (DeviceNumber partition : host.partitions(device)) {
                add(partition, level);
            }
            for (DeviceNumber holder : host.holders(device)) {
                add(holder, level + 1);
            }
        }
        for (Mount mount : mounts) {
            // It has a number of its own, and devices that only sysfs names.
            if (mount.type().equals(BTRFS) && devicesOf(mount).contains(device)) {
                add(mount.device(), level);
            }
        }
        for (LoopDevice loop : loops) {
            if (loop.below().equals(device)) {
                add(loop.number(), level + 1);
            }
        }
    }

    private List<DeviceNumber> devicesOf(Mount mount) throws IOException {
        Path node = Path.of(mount.source());
        if (!node.isAbsolute() || !Files.exists(node)) {
            throw new IOException("it cannot be told on which disks " + mount.point() + " lies: "
                    + mount.source() + " is not there: unmount it");
        }
        DeviceNumber one = DeviceNumber.ofNode(node);
        return host.btrfs().stream().filter(devices -> devices.contains(one)).findFirst()
                .orElse(List.of(one));
    }

    private void addSwaps() throws IOException {
        for (Path path : SwapAreas.all()) {
            Optional<DeviceNumber> device = storageOf(path);
            if (device.isPresent() && levels.containsKey(device.get())) {
                swaps.put(path, device.get());
            }
        }
    }

    private Optional<DeviceNumber> storageOf(Path path) throws IOException {
        if (path.startsWith("/dev") && Files.exists(path)) {
            return Optional.of(DeviceNumber.ofNode(path));
        }
        return Mount.of(path, mounts).map(Mount::device);
    }

    /** {@return the file systems, in the order in which they are to be frozen} */
    List<Filesystem> filesystems() {
        Map<DeviceNumber, List<Mount>> byDevice = mounts.stream()
                .filter(mount -> levels.containsKey(mount.device()))
                .collect(Collectors.groupingBy(Mount::device));
        return byDevice.entrySet().stream()
                .map(one -> new Filesystem(one.getKey(), levels.get(one.getKey()),
                        one.getValue()))
                .sorted(ORDER).toList();
    }

    /** {@return swap partitions and files: what is swapped is written past every freeze} */
    List<Path> swaps() {
        return List.copyOf(swaps.keySet());
    }

    /** {@return every device on the disks, and they themselves} */
    Set<DeviceNumber> devices() {
        return levels.keySet();
    }

    /**
     * Refuses a disk on which somebody has what is not seen here: a file system of another mount
     * namespace, a journal of another file system, ZFS. The kernel knows who holds a device.
     */
    void requireKnown() throws IOException {
        Set<DeviceNumber> used = filesystems().stream().map(Filesystem::device)
                .collect(Collectors.toSet());
        used.addAll(swaps.values());
        for (Mount mount : mounts) {
            if (mount.type().equals(BTRFS) && used.contains(mount.device())) {
                used.addAll(devicesOf(mount));
            }
        }
        for (DeviceNumber device : levels.keySet()) {
            if (device.major() != 0 && !isUsed(device, used)
                    && host.find(device).isHeldExclusively()) {
                throw new IOException("something on " + host.find(device).name() + " is in use"
                        + " that this process does not see, and so cannot freeze: a file system"
                        + " mounted elsewhere, or a kind that is not known here: end that first");
            }
        }
    }

    /** Who has a part of a disk has the disk. */
    private boolean isUsed(DeviceNumber device, Set<DeviceNumber> used) throws IOException {
        List<DeviceNumber> parts = new ArrayList<>(host.partitions(device));
        parts.add(device);
        for (DeviceNumber part : parts) {
            if (used.contains(part) || !host.holders(part).isEmpty()
                    || loops.stream().anyMatch(loop -> loop.below().equals(part))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Returns whether a path lies on the disks.
     *
     * @param path of a file that is there
     * @throws IOException when that cannot be told
     */
    boolean holds(Path path) throws IOException {
        return holds(path.toRealPath(), mounts.size());
    }

    private boolean holds(Path real, int deepest) throws IOException {
        Mount mount = Mount.of(real, mounts).orElseThrow(
                () -> new IOException("it cannot be told where " + real + " is mounted"));
        if (levels.containsKey(mount.device())) {
            return true;
        }
        Optional<String> upper = mount.type().equals("overlay") ? mount.option("upperdir")
                : Optional.empty();
        return upper.isPresent() && (deepest == 0 || !Files.exists(Path.of(upper.get()))
                || holds(Path.of(upper.get()).toRealPath(), deepest - 1));
    }
}
