package io.pageferry.agent.host.linux;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * The file of a unix socket on which an agent listens: mode 0600, or 0660 for a group, in a folder
 * in which no other user may replace it, and gone when the agent is. One thread.
 */
public final class SocketFile implements AutoCloseable {
    /** Most bytes of its path, as the kernel takes it (struct sockaddr_un). */
    public static final int LONGEST = 107;

    private static final int FILE_TYPE = 0170000;
    private static final int SOCKET = 0140000;

    private final Path path;
    private Object made;

    private SocketFile(Path path) {
        this.path = path;
    }

    /**
     * Returns how long a path is for the kernel.
     *
     * @param path of a socket
     * @return bytes
     */
    public static int length(Path path) {
        return path.toString().getBytes(StandardCharsets.UTF_8).length;
    }

    /**
     * Makes a path free to listen on: a socket file that was left there and that nobody listens
     * on is deleted.
     *
     * @param path absolute
     * @return the file, not made yet
     * @throws IOException with one line, where somebody listens there, where something else than
     *                     a socket is there, or where the folder is not fit for it
     */
    public static SocketFile free(Path path) throws IOException {
        Path folder = path.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new IOException("cannot listen on " + path + ": there is no such folder");
        }
        if (PrivateFiles.othersMayReplace(folder)) {
            throw new IOException("cannot listen on " + path + ": other users may write to "
                    + folder + " and put a socket of theirs there; use a folder of your own"
                    + " (mkdir -m 700)");
        }
        deleteStale(path);
        return new SocketFile(path);
    }

    private static void deleteStale(Path path) throws IOException {
        Object found = identity(path);
        if (found == null) {
            return;
        }
        if (!PrivateFiles.isOfRootOrSelf(path)) {
            deleteStrangers(path);
            return;
        }
        if (!isSocket(path)) {
            throw new IOException("cannot listen on " + path + ": there is something else than a"
                    + " socket; it stays, choose another path");
        }
        if (isListenedOn(path)) {
            throw inUse(path);
        }
        // Another agent may have done the same a moment ago and listen there now: what is deleted
        // is looked at once more, under a name that nobody else has.
        Path aside = path.resolveSibling("." + UUID.randomUUID());
        Files.move(path, aside, StandardCopyOption.ATOMIC_MOVE);
        if (!found.equals(identity(aside))) {
            Files.createLink(path, aside);
            Files.delete(aside);
            throw inUse(path);
        }
        Files.delete(aside);
    }

    /**
     * In a folder as /run/pageferry each user may put a file where none is. Root's agent begins all
     * the same; others may not delete it.
     */
    private static void deleteStrangers(Path path) throws IOException {
        Path aside = path.resolveSibling("." + UUID.randomUUID());
        try {
            Files.move(path, aside, StandardCopyOption.ATOMIC_MOVE);
            Files.delete(aside);
        } catch (DirectoryNotEmptyException e) {
            return; // it is in nobody's way there
        } catch (IOException e) {
            throw new IOException("cannot listen on " + path + ": what is there belongs to another"
                    + " user; it stays, choose another path", e);
        }
    }

    private static IOException inUse(Path path) {
        return new IOException("cannot listen on " + path + ": it is in use, another process"
                + " listens there");
    }

    private static boolean isListenedOn(Path path) {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            // A listener whose queue is full would hold up one that waits.
            probe.configureBlocking(false);
            probe.connect(UnixDomainSocketAddress.of(path));
            return true;
        } catch (ConnectException e) {
            return false;
        } catch (IOException e) {
            // Its queue is full, or it is another user's: nobody can tell that nobody listens.
            return true;
        }
    }

    private static boolean isSocket(Path path) throws IOException {
        int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        return (mode & FILE_TYPE) == SOCKET;
    }

    /**
     * Which file it is, whatever its name and rights; null where there is none. A number of an
     * inode is given again soon: with it goes the time, which of a socket is that of its making.
     */
    private static Object identity(Path path) throws IOException {
        try {
            return Files.readAttributes(path, "unix:dev,ino,lastModifiedTime",
                    LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /**
     * Notes that this process listens there now, and takes the others' rights from the file.
     *
     * @throws IOException where it cannot be changed
     */
    public void made() throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        made = identity(path);
    }

    /**
     * Lets a group connect too, once it was {@link #made}.
     *
     * @param group its name; where this host has no such group, or this user may not give a file
     *              to it, nothing changes
     * @return the group's number; empty where nothing changed
     * @throws IOException where the file cannot be changed
     */
    public OptionalInt share(String group) throws IOException {
        try {
            Files.getFileAttributeView(path, PosixFileAttributeView.class,
                    LinkOption.NOFOLLOW_LINKS).setGroup(path.getFileSystem()
                            .getUserPrincipalLookupService().lookupPrincipalByGroupName(group));
        } catch (UserPrincipalNotFoundException | FileSystemException e) {
            return OptionalInt.empty();
        }
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw----"));
        return OptionalInt.of((Integer) Files.getAttribute(path, "unix:gid",
                LinkOption.NOFOLLOW_LINKS));
    }

    /** Deletes the file, where it is still the one that was made here. Idempotent. */
    @Override
    public void close() {
        try {
            if (made != null && made.equals(identity(path))) {
                Files.delete(path);
            }
        } catch (IOException e) {
            // The next agent that listens there deletes it.
            return;
        } finally {
            made = null;
        }
    }
}
