package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.machine.Fstab;
import io.pageferry.agent.host.machine.StableNames;
import io.pageferry.agent.host.machine.tree.Programs;
import io.pageferry.agent.host.machine.tree.Refusal;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The system of a disk, mounted in a private space with what its programs need of a kernel. Of
 * devices it has those of its own disk, by UUID too, and none else.
 */
final class MountedSystem implements Programs {
    private static final Duration LIMIT = Duration.ofMinutes(5);
    /** An initramfs for each of several kernels, on a host without KVM. */
    private static final Duration PROGRAM = Duration.ofMinutes(30);
    /** Where a program of the system looks, in the order of their depth. */
    private static final List<String> POINTS = List.of("/boot", "/usr", "/var", "/boot/efi",
            "/efi");

    /** The device nodes of a system that does not run. */
    private static final String NODES = """
            set -e
            cd "$1"; shift
            mount -t proc -o nosuid,nodev,noexec proc proc
            mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
            mount -t tmpfs -o nosuid,noexec,mode=755 tmpfs dev
            mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs run
            cd dev
            mknod -m 666 null c 1 3; mknod -m 666 zero c 1 5; mknod -m 666 full c 1 7
            mknod -m 666 random c 1 8; mknod -m 666 urandom c 1 9; mknod -m 666 tty c 5 0
            ln -s /proc/self/fd fd; ln -s fd/0 stdin; ln -s fd/1 stdout; ln -s fd/2 stderr
            mkdir -p shm disk/by-uuid
            while [ $# -gt 0 ]; do
                cp -a "$1" .
                [ -z "$2" ] || ln -s "../../${1##*/}" "disk/by-uuid/$2"
                shift 2
            done
            """;

    private final PrivateSpace space;
    private final AttachedDisk disk;
    private final List<Content> contents;
    private final Path point;
    private final List<FatPartition> fats = new ArrayList<>();
    private Content root;

    private MountedSystem(PrivateSpace space, AttachedDisk disk, List<Content> contents,
            Path point) {
        this.space = space;
        this.disk = disk;
        this.contents = contents;
        this.point = point;
    }

    /** Finds the one system of a disk and mounts it at a folder. */
    static MountedSystem mount(PrivateSpace space, AttachedDisk disk, List<Content> contents,
            Path point) throws IOException {
        MountedSystem system = new MountedSystem(space, disk, contents, point);
        system.root = system.findRoot();
        system.mount(system.root, point);
        system.mountOthers();
        List<String> nodes = new ArrayList<>(List.of("sh", "-c", NODES, "sh", point.toString(),
                disk.device(), ""));
        contents.forEach(one -> nodes.addAll(List.of(disk.node(one.partition()), one.uuid())));
        space.run(LIMIT, nodes);
        system.requireOwnPrograms();
        return system;
    }

    private Content findRoot() throws IOException {
        List<Content> found = new ArrayList<>();
        for (Content one : contents) {
            if (one.isKnown()) {
                mount(one, point);
                if (isRoot()) {
                    found.add(one);
                }
                space.run(LIMIT, List.of("umount", point.toString()));
            }
        }
        if (found.size() == 1) {
            return found.getFirst();
        }
        List<String> types = contents.stream().map(Content::type).filter(one -> !one.isEmpty())
                .toList();
        throw found.size() > 1
                ? Refusal.of("there are " + found.size() + " systems on it", "boot the one that is"
                + " meant, and run pageferry prepare there")
                : types.contains("ntfs") ? Refusal.of("a Windows is on it, which is not adapted"
                + " here", "have --adapter virt-v2v do it")
                : Refusal.of("there is no Linux system on it on ext4 or xfs (it has " + (
                types.isEmpty() ? "nothing that is known" : String.join(", ", types)) + ")",
                "run pageferry prepare in the machine before it is moved, or have --adapter"
                        + " virt-v2v do it");
    }

    private boolean isRoot() throws IOException {
        return tree().exists(Fstab.PATH) && (tree().exists("/etc/os-release")
                || tree().exists("/usr/lib/os-release") || tree().exists("/etc/debian_version"));
    }

    private void mount(Content content, Path where) throws IOException {
        boolean xfs = content.type().equals("xfs");
        space.run(LIMIT, List.of("mount", "-t", content.type(), "-o", "nosuid,nodev"
                + (xfs ? ",nouuid" : ""), disk.node(content.partition()), where.toString()));
    }

    private void mountOthers() throws IOException {
        List<Fstab.Entry> entries = Fstab.entries(tree().read(Fstab.PATH).orElse(""));
        for (String wanted : POINTS) {
            Optional<Fstab.Entry> entry = entries.stream()
                    .filter(one -> one.point().equals(wanted)).findFirst();
            if (entry.isEmpty()) {
                continue;
            }
            Optional<Content> content = content(entry.get().device());
            if (content.isPresent() && content.get().isKnown()) {
                mount(content.get(), space.inside(tree().resolve(wanted)));
            } else if (content.isPresent() && content.get().type().equals("vfat")) {
                fats.add(FatPartition.open(space, disk.node(content.get().partition()),
                        space.inside(tree().resolve(wanted))));
            } else if (!wanted.endsWith("efi")) {
                throw Refusal.of(wanted + " is " + entry.get().device() + " in fstab, which is not"
                        + " on this disk as ext4, xfs or FAT", "run pageferry prepare in the"
                        + " machine before it is moved");
            }
        }
    }

    private Optional<Content> content(String device) {
        String value = device.substring(device.indexOf('=') + 1).replace("\"", "")
                .replaceFirst("^/dev/disk/by-(uuid|label)/", "");
        StableNames.Partition named = StableNames.partition(device);
        return contents.stream().filter(one -> named != null
                ? one.partition().number() == named.number()
                : !value.isEmpty() && Set.of(one.uuid(), one.label()).contains(value)).findFirst();
    }

    /** A system of another architecture has programs that cannot run here. */
    private void requireOwnPrograms() throws IOException {
        try {
            run(List.of("sh", "-c", ":"));
        } catch (IOException e) {
            throw Refusal.of("its programs do not run on this host (" + e.getMessage() + ")",
                    "adapt it on a host of its architecture");
        }
    }

    /** {@return the UUID of its root} */
    String root() {
        return root.uuid();
    }

    /** {@return its files} */
    SystemTree tree() {
        return new SystemTree(space.seen(point));
    }

    @Override
    public String run(List<String> command) throws IOException {
        List<String> all = new ArrayList<>(List.of("chroot", point.toString(), "/usr/bin/env", "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root",
                "DEBIAN_FRONTEND=noninteractive"));
        all.addAll(command);
        return space.tryRun(PROGRAM, all).require(command);
    }

    /** Unmounts all of it, with everything written. */
    void unmount() throws IOException {
        for (FatPartition fat : fats) {
            fat.writeBack();
        }
        space.run(LIMIT, List.of("umount", "--recursive", point.toString()));
    }
}
