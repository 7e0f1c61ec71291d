package io.pageferry.agent.guest.machine;

import io.pageferry.agent.host.disk.freeze.Freezer;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.BlockDevices.Whole;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.agent.host.linux.block.Mount;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Which disks of a host are the machine.
 *
 * @param disks  their nodes, by their names
 * @param left   what is left out, a line each with its reason
 */
record HostDisks(List<Path> disks, List<String> left) {
    private static final Path ROOT = Path.of("/");
    private static final String NAME_THEM = "name the disks yourself: machine:?disks=/dev/sda or"
            + " machine:?disks=/dev/sda,/dev/sdb";

    /** What is no disk of a machine, by how the kernel names it. */
    private static final Map<String, String> OTHERS = Map.of("loop", "a file, as a loop device",
            "zram", "memory", "ram", "memory", "sr", "a CD drive", "fd", "a floppy drive",
            "dm-", "made of other disks", "md", "made of other disks",
            "nbd", "storage of another host", "rbd", "storage of another host",
            "drbd", "storage of another host");

    /** What lies on disks. */
    interface Uses {
        /** Whether a file system that this process sees lies on a disk. */
        boolean isMounted(DeviceNumber disk) throws IOException;

        /** Whether the root of this system does. */
        boolean hasRoot(DeviceNumber disk) throws IOException;
    }

    /** Lists are as they are now. */
    HostDisks {
        disks = List.copyOf(disks);
        left = List.copyOf(left);
    }

    /**
     * Finds those of this host.
     *
     * @throws GuestException where its root is on none of them: in a container, on a live system
     */
    static HostDisks ofHost() throws GuestException {
        BlockDevices host = BlockDevices.ofHost();
        try {
            requireOwnRoot(Mount.all());
            return of(host, new Uses() {
                @Override
                public boolean isMounted(DeviceNumber disk) throws IOException {
                    return Freezer.isMounted(host, disk);
                }

                @Override
                public boolean hasRoot(DeviceNumber disk) throws IOException {
                    return Freezer.freezes(host, List.of(disk), ROOT);
                }
            });
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "it cannot be told which disks this"
                    + " machine is: " + e.getMessage(), NAME_THEM);
        }
    }

    /** Refuses a system whose root is no file system of its own: it is not the machine. */
    static void requireOwnRoot(List<Mount> mounts) throws GuestException {
        Mount root = Mount.of(ROOT, mounts).orElseThrow(() -> refused("nothing is mounted as /"));
        if (root.type().equals("overlay")) {
            throw refused("/ is an overlay, as in a container or on a live system, and on no disk"
                    + " of this machine");
        }
        if (!root.root().equals("/") && !root.type().equals("btrfs")) {
            throw refused("/ is the folder " + root.root() + " of a file system, as in a"
                    + " container, and not all of it");
        }
    }

    /**
     * Chooses among the disks of a host: what is fixed and writable, and what is removable only
     * where something on it is mounted.
     */
    static HostDisks of(BlockDevices host, Uses uses) throws IOException {
        List<Path> disks = new ArrayList<>();
        List<String> left = new ArrayList<>();
        boolean rooted = false;
        for (Whole whole : host.wholes()) {
            if (whole.bytes() == 0) {
                continue;
            }
            String why = reason(whole, uses);
            if (why.isEmpty()) {
                disks.add(whole.node());
                rooted |= uses.hasRoot(whole.number());
            } else {
                left.add(whole.name() + ", " + why);
            }
        }
        if (!rooted) {
            throw refused("the root of this system lies on no disk of it"
                    + (left.isEmpty() ? "" : " (left out: " + String.join("; ", left) + ")"));
        }
        return new HostDisks(disks, left);
    }

    private static String reason(Whole whole, Uses uses) throws IOException {
        String kind = whole.name().replaceFirst("[0-9].*", "");
        if (OTHERS.containsKey(kind)) {
            return OTHERS.get(kind);
        }
        if (whole.readOnly()) {
            return "which nobody can write to";
        }
        return whole.removable() && !uses.isMounted(whole.number())
                ? "removable, and nothing on it is mounted" : "";
    }

    private static GuestException refused(String what) {
        return new GuestException(ErrorCode.HOST_FAILED, what, NAME_THEM);
    }
}
