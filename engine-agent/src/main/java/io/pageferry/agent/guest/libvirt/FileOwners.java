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
 * @param owners user and group by path
 */
record FileOwners(Map<Path, Owner> owners) {
    private static final String UID = "unix:uid";
    private static final String GID = "unix:gid";

    private record Owner(Object user, Object group) { }

    static FileOwners of(List<String> files) {
        Map<Path, Owner> owners = new TreeMap<>();
        for (String file : files) {
            try {
                Path path = Path.of(file);
                owners.put(path, new Owner(Files.getAttribute(path, UID, LinkOption.NOFOLLOW_LINKS),
                        Files.getAttribute(path, GID, LinkOption.NOFOLLOW_LINKS)));
            } catch (IOException | InvalidPathException e) {
                continue; // what is not there is nobody's
            }
        }
        return new FileOwners(owners);
    }

    /** A file system that does not let it has no owners that would matter. */
    void restore() {
        owners.forEach((path, owner) -> {
            try {
                set(path, UID, owner.user());
                set(path, GID, owner.group());
            } catch (IOException e) {
                return;
            }
        });
    }

    private static void set(Path path, String what, Object value) throws IOException {
        if (!value.equals(Files.getAttribute(path, what, LinkOption.NOFOLLOW_LINKS))) {
            Files.setAttribute(path, what, value, LinkOption.NOFOLLOW_LINKS);
        }
    }
}
