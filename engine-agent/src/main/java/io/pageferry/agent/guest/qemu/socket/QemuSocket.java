package io.pageferry.agent.guest.qemu.socket;

import io.pageferry.agent.host.linux.Processes;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A socket on which an agent listens for a QEMU. To connect needs the right to write to its file,
 * and QEMU is often another user's than an agent that is root.
 */
public final class QemuSocket {
    private static final String UID = "unix:uid";
    /** Which of the users in status: that of files. */
    private static final int OF_FILES = 4;

    private QemuSocket() {
    }

    /**
     * Listens where that QEMU may connect.
     *
     * @param socket a path that is free
     * @param pid    of the QEMU that is to come
     * @return the socket, the caller's to close and its file to delete
     * @throws IOException when it cannot be made, or not be given to that user
     */
    public static ServerSocketChannel open(Path socket, long pid) throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        boolean opened = false;
        try {
            listener.bind(UnixDomainSocketAddress.of(socket.toAbsolutePath()), 1);
            // Others may pass through its folder, and the kernel lists its name to them.
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            give(socket, pid);
            opened = true;
            return listener;
        } finally {
            if (!opened) {
                listener.close();
            }
        }
    }

    /**
     * Makes a QEMU's user the owner of a file or folder, which must be in a folder of ours; never
     * of what a link names.
     */
    static void give(Path file, long pid) throws IOException {
        if (!isOwner(file, pid)) {
            Files.setAttribute(file, UID, user(pid), LinkOption.NOFOLLOW_LINKS);
        }
    }

    /** Whether a process's user is the owner of what is there, a link itself too. */
    static boolean isOwner(Path file, long pid) throws IOException {
        return user(pid).equals(Files.getAttribute(file, UID, LinkOption.NOFOLLOW_LINKS));
    }

    /** By whose rights it opens files; the owner of its folder in proc may be another (proc(5)). */
    private static Integer user(long pid) throws IOException {
        return (int) Processes.user(Files.readString(Path.of("/proc/" + pid + "/status"),
                StandardCharsets.ISO_8859_1), OF_FILES);
    }
}
