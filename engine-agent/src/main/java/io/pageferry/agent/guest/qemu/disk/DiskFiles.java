package io.pageferry.agent.guest.qemu.disk;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.Mount;
import io.pageferry.agent.host.memory.HostFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Which files hold a guest's disks, by their inode numbers: of all that is known of a file on
 * shared storage, two hosts agree on this alone. A target with images of its own, for which
 * {@code --copy-storage} was forgotten, is found by it before the guest goes on on an empty disk.
 * And one that has the source's images, for which {@code --copy-storage} was given: a disk would
 * be copied onto itself, with nothing but QEMU's locks in the way, which not every storage has.
 */
public final class DiskFiles {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String INODE = "inode ";
    private static final String DELETED = " (deleted)";
    /** Begins the keys of what tells a disk from any other, here and elsewhere. */
    private static final String SAME = "host.disk.";
    /** File systems on which two hosts see a file under one number, if by one source. */
    private static final Set<String> OF_CLUSTERS = Set.of("nfs", "nfs4", "cifs", "smb3", "ceph",
            "gfs2", "ocfs2", "lustre", "beegfs", "gpfs");

    private DiskFiles() {
    }

    /**
     * Returns what the other side compares with its own.
     *
     * @param pid    QEMU's
     * @param drives its disks
     * @return by {@link QemuFacts#IMAGE} and the disk; nothing of a disk that cannot be written
     *     to, is no regular file, is on a file system in user space, whose numbers are its own,
     *     or has its content in the device state; and what {@link #requireOthers} compares
     */
    public static Map<String, String> attributes(long pid, Iterable<QemuFacts.Drive> drives) {
        Map<String, String> attributes = new TreeMap<>();
        Path process = Path.of("/proc", Long.toString(pid));
        try {
            Map<String, Mount> mounts = mounts(process.resolve("mountinfo"));
            Map<String, ProcessMaps.FileId> open = ProcessMaps.openFiles(pid).stream()
                    .collect(Collectors.toMap(one -> withoutMark(one.target()),
                            ProcessMaps.OpenFile::file, (one, again) -> one));
            for (QemuFacts.Drive drive : drives) {
                String path = path(drive.file());
                if (drive.readOnly() || path.isEmpty()) {
                    continue;
                }
                ProcessMaps.FileId file = open.containsKey(path) ? open.get(path)
                        : atPath(process, path);
                Mount mount = file == null ? null : mounts.get(device(file));
                if (file != null && !drive.carried()
                        && (mount == null || !isInUserSpace(mount))) {
                    attributes.put(QemuFacts.IMAGE + drive.place(), INODE + file.inode());
                }
                unique(process, path, file, mount).ifPresent(value ->
                        attributes.put(SAME + drive.place(), value));
            }
        } catch (IOException e) {
            // What one side does not know is not compared.
            return attributes;
        }
        return attributes;
    }

    /**
     * Leaves out what tells a disk from any other: only a target that fills them needs it.
     *
     * @param attributes of a source
     */
    public static void forget(Map<String, String> attributes) {
        attributes.keySet().removeIf(key -> key.startsWith(SAME));
    }

    /**
     * Refuses a source whose disks are not those that a QEMU here has open: it was started for
     * that guest, so it has them.
     *
     * @param pid    QEMU's
     * @param theirs the source's attributes; nothing in them is trusted
     * @throws GuestException when it has another file in the place of one
     * @throws IOException    when it cannot be looked at
     */
    public static void requireOpen(long pid, Map<String, String> theirs)
            throws GuestException, IOException {
        Map<String, Mount> mounts = mounts(Path.of("/proc/" + pid + "/mountinfo"));
        List<ProcessMaps.FileId> open = ProcessMaps.openFiles(pid).stream()
                .map(ProcessMaps.OpenFile::file).toList();
        boolean numbered = open.stream().map(file -> mounts.get(device(file)))
                .noneMatch(mount -> mount != null && isInUserSpace(mount));
        for (Map.Entry<String, String> one : theirs.entrySet()) {
            if (numbered && one.getKey().startsWith(QemuFacts.IMAGE) && open.stream()
                    .noneMatch(file -> one.getValue().equals(INODE + file.inode()))) {
                throw new GuestException(ErrorCode.GUEST_MISMATCH, "the disk "
                        + one.getKey().substring(QemuFacts.IMAGE.length())
                        + " is another file here than at the source", "name the same image on both"
                        + " sides, on storage that both see");
            }
        }
    }

    /**
     * Refuses a source that wants to copy a disk which is in the same file here, by whatever path.
     * One file of two hosts is told where both mount it from one source by its name.
     *
     * @param theirs the source's attributes; nothing in them is trusted
     * @param ours   {@link #attributes} of this side
     * @throws GuestException when that is so
     */
    public static void requireOthers(Map<String, String> theirs, Map<String, String> ours)
            throws GuestException {
        if (theirs.keySet().stream().noneMatch(key -> key.startsWith(DiskExports.ATTRIBUTE))) {
            return;
        }
        Set<String> there = theirs.entrySet().stream().filter(one -> one.getKey().startsWith(SAME))
                .map(Map.Entry::getValue).collect(Collectors.toSet());
        for (Map.Entry<String, String> one : ours.entrySet()) {
            if (one.getKey().startsWith(SAME) && there.contains(one.getValue())) {
                throw new GuestException(ErrorCode.GUEST_MISMATCH, "source and target have the"
                        + " disk " + one.getKey().substring(SAME.length()) + " in the same file,"
                        + " which --copy-storage would copy onto itself", "leave --copy-storage out"
                        + " where both sides see the disks, or give the target images of its own");
            }
        }
    }

    /** What no other file or device has, on any host; empty where there is no such thing. */
    private static Optional<String> unique(Path process, String path, ProcessMaps.FileId file,
            Mount mount) throws IOException {
        if (file != null) {
            return mount != null && OF_CLUSTERS.contains(mount.type())
                    ? Optional.of(mount.source() + ":" + file.inode()) : HostFiles.of(file);
        }
        Path node = resolve(process, path);
        if (!BlockDevices.isNode(node)) {
            return Optional.empty();
        }
        // By whatever node it is opened.
        return HostFiles.of(new ProcessMaps.FileId(((Number) Files.getAttribute(node,
                "unix:rdev")).longValue(), 0));
    }

    private static Path resolve(Path process, String path) {
        return path.startsWith("/") ? process.resolve("root" + path)
                : process.resolve("cwd").resolve(path);
    }

    /** By a link or from QEMU's folder; null where no regular file is there. */
    private static ProcessMaps.FileId atPath(Path process, String path) throws IOException {
        Path file = resolve(process, path);
        return Files.isRegularFile(file) ? ProcessMaps.fileId(file) : null;
    }

    /** Of an image with a backing file QEMU may give all its options instead of a name. */
    private static String path(String file) {
        if (!file.startsWith("json:")) {
            return file;
        }
        try {
            return JSON.readTree(file.substring("json:".length())).path("file").path("filename")
                    .asText("");
        } catch (JsonProcessingException e) {
            return "";
        }
    }

    private static String withoutMark(String target) {
        return target.endsWith(DELETED)
                ? target.substring(0, target.length() - DELETED.length()) : target;
    }

    private static String device(ProcessMaps.FileId file) {
        return (file.device() >>> 32) + ":" + (file.device() & 0xffffffffL);
    }

    private static boolean isInUserSpace(Mount mount) {
        return mount.type().startsWith("fuse");
    }

    /** By the device's number. */
    private static Map<String, Mount> mounts(Path mountinfo) throws IOException {
        return Mount.of(mountinfo).stream().collect(Collectors.toMap(
                mount -> mount.device().toString(), one -> one, (one, again) -> one));
    }
}
