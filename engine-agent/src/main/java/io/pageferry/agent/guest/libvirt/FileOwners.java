package io.pageferry.agent.guest.libvirt;

import io.pageferry.agent.host.linux.ProcText;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Whose a domain's disks are, before its libvirt gives them back. It does so when it ends a domain,
 * and does not know that another host's QEMU has the same files, which has to be able to open them
 * again: after a move by its own means it would leave them.
 *
 * @param owners {@code UID:GID} by path, without links
 */
record FileOwners(Map<String, String> owners) {
    private static final String KEY = "owner:";
    private static final String UID = "unix:uid";
    private static final String GID = "unix:gid";
    private static final String ROOT = "0:0";

    static FileOwners of(List<String> files) {
        Map<String, String> owners = new TreeMap<>();
        for (String file : files) {
            try {
                Path path = Path.of(file).toRealPath();
                owners.put(path.toString(), attribute(path, UID) + ":" + attribute(path, GID));
            } catch (IOException | InvalidPathException e) {
                continue; // what is not there is nobody's
            }
        }
        return new FileOwners(owners);
    }

    /** Finds again what {@link #putInto} wrote. */
    static FileOwners of(Map<String, String> recoveryAddress) {
        Map<String, String> owners = new TreeMap<>();
        recoveryAddress.forEach((key, value) -> {
            if (key.startsWith(KEY)) {
                owners.put(key.substring(KEY.length()), value);
            }
        });
        return new FileOwners(owners);
    }

    /**
     * The same, but what a QEMU of another user writes to is that user's, where it is root's by
     * now: QEMU could not open it again. A libvirt that was gone while it ended a domain, on
     * whichever host, gives the disks to root when it comes back.
     */
    FileOwners writtenBy(long pid) throws IOException {
        String user = id(pid, "Uid") + ":" + id(pid, "Gid");
        Map<String, String> needed = new TreeMap<>(owners);
        for (ProcessMaps.OpenFile open : ProcessMaps.openFiles(pid)) {
            if (ROOT.equals(owners.get(open.target())) && isWritten(pid, open.fd())) {
                needed.put(open.target(), user);
            }
        }
        return new FileOwners(needed);
    }

    /** The effective one, the second of four. */
    private static String id(long pid, String which) throws IOException {
        return ProcText.parse("status", Processes.status(pid, which),
                line -> line.split("\\s+")[1]);
    }

    private static boolean isWritten(long pid, int fd) throws IOException {
        return (ProcessMaps.openFlags(Files.readString(Path.of("/proc/" + pid + "/fdinfo/" + fd)))
                & ProcessMaps.O_ACCMODE) != 0;
    }

    void putInto(Map<String, String> recoveryAddress) {
        owners.forEach((path, owner) -> recoveryAddress.put(KEY + path, owner));
    }

    /** A file system that does not let it has no owners that would matter. */
    void restore() {
        owners.forEach((file, owner) -> {
            int colon = owner.indexOf(':');
            try {
                Path path = Path.of(file);
                set(path, UID, Integer.valueOf(owner.substring(0, colon)));
                set(path, GID, Integer.valueOf(owner.substring(colon + 1)));
            } catch (IOException e) {
                return;
            }
        });
    }

    private static Object attribute(Path path, String what) throws IOException {
        return Files.getAttribute(path, what, LinkOption.NOFOLLOW_LINKS);
    }

    private static void set(Path path, String what, Integer value) throws IOException {
        if (!value.equals(attribute(path, what))) {
            Files.setAttribute(path, what, value, LinkOption.NOFOLLOW_LINKS);
        }
    }
}
