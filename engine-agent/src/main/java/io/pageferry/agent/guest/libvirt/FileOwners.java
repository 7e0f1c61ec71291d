package io.pageferry.agent.guest.libvirt;

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
