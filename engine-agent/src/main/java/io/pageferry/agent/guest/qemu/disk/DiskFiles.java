package io.pageferry.agent.guest.qemu.disk;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.host.linux.ProcText;
import io.pageferry.agent.host.linux.ProcessMaps;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Which files hold a guest's disks, by their inode numbers: of all that is known of a file on
 * shared storage, two hosts agree on this alone. A target with images of its own, for which
 * {@code --copy-storage} was forgotten, is found by it before the guest goes on on an empty disk.
 */
public final class DiskFiles {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String DELETED = " (deleted)";

    private DiskFiles() {
    }

    /**
     * Returns what the other side compares with its own.
     *
     * @param pid    QEMU's
     * @param drives its disks
     * @return by {@link QemuFacts#IMAGE} and the disk; nothing of a disk that cannot be written
     *     to, is no regular file, or is on a file system in user space, whose numbers are its own
     */
    public static Map<String, String> attributes(long pid, Iterable<QemuFacts.Drive> drives) {
        Map<String, String> attributes = new TreeMap<>();
        Path process = Path.of("/proc", Long.toString(pid));
        try {
            Set<String> ofUsers = devicesInUserSpace(process.resolve("mountinfo"));
            Map<String, ProcessMaps.FileId> open = ProcessMaps.openFiles(pid).stream()
                    .collect(Collectors.toMap(one -> withoutMark(one.target()),
                            ProcessMaps.OpenFile::file, (one, again) -> one));
            for (QemuFacts.Drive drive : drives) {
                String path = path(drive.file());
                ProcessMaps.FileId file = open.containsKey(path) ? open.get(path)
                        : atPath(process, path);
                if (file != null && !drive.readOnly() && !ofUsers.contains(device(file))) {
                    attributes.put(QemuFacts.IMAGE + drive.place(), "inode " + file.inode());
                }
            }
        } catch (IOException e) {
            // What one side does not know is not compared.
            return attributes;
        }
        return attributes;
    }

    /** By a link or from QEMU's folder; null where no regular file is there. */
    private static ProcessMaps.FileId atPath(Path process, String path) throws IOException {
        Path file = path.startsWith("/") ? process.resolve("root" + path)
                : process.resolve("cwd").resolve(path);
        return !path.isEmpty() && Files.isRegularFile(file) ? ProcessMaps.fileId(file) : null;
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

    /** {@code 36 35 98:0 /root /mnt rw,noatime shared:1 - fuse.sshfs host: rw} (man 5 proc). */
    private static Set<String> devicesInUserSpace(Path mountinfo) throws IOException {
        return ProcText.parse("mountinfo",
                Files.readString(mountinfo, StandardCharsets.ISO_8859_1), text -> text.lines()
                        .filter(line -> line.contains(" - fuse"))
                        .map(line -> line.split(" ")[2]).collect(Collectors.toSet()));
    }
}
