package io.pageferry.agent.guest.qemu.check;

import io.pageferry.agent.host.linux.ProcessMaps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What only the process of a source shows: a tap with {@code vhost=on} has an ordinary virtio-net
 * in front of it, and O_DIRECT may be set on a backing file alone.
 *
 * @param pinning what writes to pages that were pinned before: its requests can be drained
 * @param found   what writes past every tracker
 */
public record OpenDescriptors(List<Objection> pinning, List<Objection> found) {
    /** By these a process has pages written that it pinned before: rings, devices, networks. */
    private static final Pattern PINNING = Pattern.compile("anon_inode:\\[io_uring]"
            + "|/dev/(vfio/.*|uio.*|infiniband/.*|vhost-(?!net|vsock).*|nvme\\d+|ng\\d.*|sg\\d+)"
            + "|/sys/(bus|devices)/.*/resource\\d+(_wc)?");

    /**
     * Looks at the descriptors of a QEMU.
     *
     * @param pid its process
     * @return what it has open
     */
    public static OpenDescriptors of(long pid) {
        return of(Path.of("/proc/" + pid));
    }

    static OpenDescriptors of(Path process) {
        OpenDescriptors all = new OpenDescriptors(new ArrayList<>(), new ArrayList<>());
        try {
            for (Descriptor one : descriptors(process)) {
                all.look(one);
            }
        } catch (NoSuchFileException e) {
            all.found.add(Objection.of("there is no process at " + process,
                    "the guest has ended", "start it"));
        } catch (IOException | UncheckedIOException e) {
            all.found.add(Objection.of(process.resolve("fd") + " cannot be read",
                    "whether a device writes past every tracker cannot be seen",
                    "run this as root, or as QEMU's user with CAP_SYS_PTRACE"));
        }
        return all;
    }

    /**
     * Looks at the descriptors of a process that works for a QEMU's vhost-user device. What it
     * pins nobody can drain: QEMU's drain waits for QEMU's own requests.
     *
     * @param pid that process
     * @param who its name in sentences
     * @return what it writes past a tracker by, nothing where it only stores
     * @throws IOException when it cannot be looked at
     */
    public static List<Objection> ofBackend(long pid, String who) throws IOException {
        return ofBackend(Path.of("/proc/" + pid), who);
    }

    static List<Objection> ofBackend(Path process, String who) throws IOException {
        return descriptors(process).stream().filter(one -> one.direct()
                || PINNING.matcher(one.target()).matches()).map(one -> Objection.tracking(who
                + " has " + one.target() + " open" + (one.direct() ? " with O_DIRECT" : ""),
                "what it reads reaches the guest's RAM untracked", "have it read through the page"
                + " cache (cache.direct=off,aio=threads), or use --tracker scan"))
                .distinct().toList();
    }

    /** What a descriptor is of, and whether it is a file open with O_DIRECT. */
    private record Descriptor(String target, boolean direct) { }

    private static List<Descriptor> descriptors(Path process) throws IOException {
        List<Descriptor> found = new ArrayList<>();
        try (Stream<Path> descriptors = Files.list(process.resolve("fd"))) {
            for (Path one : (Iterable<Path>) descriptors::iterator) {
                String target;
                String info;
                try {
                    target = Files.readSymbolicLink(one).toString();
                    info = Files.readString(
                            process.resolve("fdinfo").resolve(one.getFileName()));
                } catch (NoSuchFileException e) {
                    // Closed since the folder was listed.
                    continue;
                }
                found.add(new Descriptor(target, target.startsWith("/")
                        && (ProcessMaps.openFlags(info) & ProcessMaps.O_DIRECT) != 0));
            }
        }
        return found;
    }

    /**
     * Returns what stands in the way.
     *
     * @param drains whether what is pinned is waited for
     * @param drives of those with O_DIRECT it is known already
     * @return objections
     */
    public List<Objection> objections(boolean drains, List<QemuFacts.Drive> drives) {
        List<String> known = drives.stream().filter(QemuFacts.Drive::direct)
                .map(drive -> direct(drive.file())).toList();
        return drains ? found : Stream.concat(found.stream(), pinning.stream()
                .filter(one -> !known.contains(one.what()))).toList();
    }

    private static String direct(String file) {
        return "QEMU opened " + file + " with O_DIRECT";
    }

    private void look(Descriptor one) {
        String target = one.target();
        if (target.matches("/dev/vhost-(net|vsock)")) {
            return; // writes through the page tables of QEMU, which are watched
        }
        if (target.startsWith("/dev/vhost-")) {
            found.add(Objection.tracking("QEMU has " + target + " open",
                    "the kernel writes to the guest's RAM past every tracker",
                    "use the virtio device without vhost, or --tracker scan"));
        } else if (target.startsWith("/dev/vfio/")) {
            found.add(Objection.of("QEMU has " + target + " open",
                    "a device of the host writes to the guest's RAM past every tracker",
                    "unplug it with device_del before the move"));
        } else if (target.equals("anon_inode:[io_uring]")) {
            pin(Objection.tracking("QEMU has an io_uring",
                    "what it reads may reach the guest's RAM untracked",
                    "use aio=threads, or --tracker scan"));
        } else if (one.direct()) {
            pin(Objection.tracking(direct(target),
                    "what it reads reaches the guest's RAM untracked",
                    "use cache=writeback,aio=threads, or --tracker scan"));
        }
    }

    private void pin(Objection objection) {
        if (!pinning.contains(objection)) {
            pinning.add(objection);
        }
    }
}
