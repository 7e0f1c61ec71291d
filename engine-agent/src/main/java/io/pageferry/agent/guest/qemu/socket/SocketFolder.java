package io.pageferry.agent.guest.qemu.socket;

import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where the sockets between an agent and one QEMU are: a folder of a name that nobody can know
 * before. A socket of a known name below /tmp would be there already, made by any local user, when
 * the guest is paused. It is made for the first socket.
 *
 * <p>It is the agent's own, and where QEMU is another user's, that user may pass through it and no
 * more: a folder that were given to it could be renamed, and a link to /etc be put in its place.
 * Files and sockets in it are made by the agent and given to QEMU. For the sockets that QEMU has to
 * make itself there is a folder in it that is given: the agent {@link #take}s them out of there.
 *
 * <p>A QEMU may see another file system than the agent: in a container, or with a /tmp of its own
 * (PrivateTmp of systemd). Then it lies in QEMU's, and the agent reaches it by
 * {@code /proc/PID/root}.
 *
 * @param path of the folder, as the agent names it
 */
public record SocketFolder(Path path) {
    private static final String KEY = "sockets";
    /** The folder in it that is QEMU's. */
    private static final String GIVEN = "given";
    // stat(2)
    private static final int TYPE = 0170000;
    private static final int FOLDER = 0040000;
    private static final int SOCKET = 0140000;
    private static final int OTHERS_WRITE = 0022;
    private static final int NAME_BYTES = 8;
    private static final SecureRandom RANDOM = new SecureRandom();
    /** Where a file system usually has room for such a thing, after the agent's own folder. */
    private static final List<String> USUAL = List.of("/tmp", "/var/tmp", "/run", "/dev/shm");
    private static final Pattern ROOT = Pattern.compile("/proc/\\d+/root(?=/)");

    /**
     * Draws a name; short, because a socket's path is.
     *
     * @param pid of the QEMU
     * @return a folder that is not there yet
     */
    public static SocketFolder draw(long pid) {
        byte[] name = new byte[NAME_BYTES];
        RANDOM.nextBytes(name);
        return new SocketFolder(place(pid).resolve("pageferry-" + HexFormat.of().formatHex(name)));
    }

    /** A folder that QEMU sees too, as far as that can be found. */
    private static Path place(long pid) {
        String own = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath().toString();
        Path root = Path.of("/proc", Long.toString(pid), "root");
        try {
            if (Files.isSameFile(Path.of(own), below(root, own))) {
                return Path.of(own);
            }
        } catch (NoSuchFileException e) {
            // QEMU has no such folder.
        } catch (IOException e) {
            return Path.of(own);
        }
        return Stream.concat(Stream.of(own), USUAL.stream())
                .filter(folder -> isFolder(root, folder)).map(folder -> below(root, folder))
                .findFirst().orElse(Path.of(own));
    }

    private static Path below(Path root, String folder) {
        return root.resolve(folder.substring(1));
    }

    /** Not by a link: of another root it would lead into ours. */
    private static boolean isFolder(Path root, String folder) {
        Path at = root;
        for (Path name : Path.of(folder)) {
            at = at.resolve(name);
            if (!Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
                return false;
            }
        }
        return Files.isWritable(at);
    }

    /**
     * Returns how a QEMU names a file in such a folder.
     *
     * @param file as the agent names it
     * @return as QEMU sees it
     */
    public static String seenByQemu(Path file) {
        return ROOT.matcher(file.toAbsolutePath().toString()).replaceFirst("");
    }

    /**
     * Finds the folder of an earlier process.
     *
     * @param recoveryAddress what that wrote down
     * @return the folder; empty for one that had none
     */
    public static Optional<SocketFolder> of(Map<String, String> recoveryAddress) {
        return Optional.ofNullable(recoveryAddress.get(KEY)).map(Path::of).map(SocketFolder::new);
    }

    /**
     * Writes down where it is.
     *
     * @param recoveryAddress gets it
     */
    public void putInto(Map<String, String> recoveryAddress) {
        recoveryAddress.put(KEY, path.toString());
    }

    /**
     * Names a socket in it.
     *
     * @param name of one
     * @return its path
     */
    public Path socket(String name) {
        return path.resolve(name);
    }

    /**
     * Makes the folder, unless it was made before.
     *
     * @param pid of the QEMU, whose user may pass through it
     * @throws GuestException when it cannot be made, or something else is in its place
     */
    public void make(long pid) throws GuestException {
        try {
            boolean free = !Files.exists(path, LinkOption.NOFOLLOW_LINKS);
            if (free) {
                PrivateFiles.createFolder(path);
            }
            requireOwn();
            if (free && !QemuSocket.isOwner(path, pid)) {
                Files.getFileAttributeView(path, PosixFileAttributeView.class,
                        LinkOption.NOFOLLOW_LINKS).setPermissions(
                                PosixFilePermissions.fromString("rwx--x--x"));
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private GuestException failure(IOException e) {
        return new GuestException(ErrorCode.HOST_FAILED, "cannot make the folder " + path
                + " for sockets: " + e.getMessage(), "look at the folder for temporary files");
    }

    /** Returns which folder it is. */
    private Object requireOwn() throws IOException {
        Map<String, Object> found = Files.readAttributes(path, "unix:mode,fileKey",
                LinkOption.NOFOLLOW_LINKS);
        int mode = (Integer) found.get("mode");
        if ((mode & TYPE) != FOLDER || (mode & OTHERS_WRITE) != 0
                || !QemuSocket.isOwner(path, ProcessHandle.current().pid())) {
            throw new IOException("what is there is not a folder of this command's own");
        }
        return found.get("fileKey");
    }

    /**
     * Names a socket that QEMU makes itself, in a folder that is there when this returns.
     *
     * @param name of one
     * @param pid  of the QEMU
     * @return where QEMU may make it
     * @throws GuestException when the folder cannot be made, or not be given to that user
     */
    public Path given(String name, long pid) throws GuestException {
        make(pid);
        Path given = path.resolve(GIVEN);
        try {
            if (!Files.exists(given, LinkOption.NOFOLLOW_LINKS)) {
                PrivateFiles.createFolder(given);
                QemuSocket.give(given, pid);
            }
            return given.resolve(name);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /**
     * Takes a socket that QEMU has made away from where its user can replace it: by a link the
     * agent would connect to a socket that this user may not.
     *
     * @param name of a {@link #given} one
     * @param pid  of the QEMU
     * @return where it is now
     * @throws IOException when it is not a socket of that user's
     */
    public Path take(String name, long pid) throws IOException {
        Path taken = Files.move(path.resolve(GIVEN).resolve(name), socket(name),
                StandardCopyOption.ATOMIC_MOVE);
        int mode = (Integer) Files.getAttribute(taken, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        if ((mode & TYPE) != SOCKET || !QemuSocket.isOwner(taken, pid)) {
            Files.deleteIfExists(taken);
            throw new IOException("what QEMU made at " + taken + " is not a socket of its own");
        }
        return taken;
    }

    /**
     * Makes a file in it that QEMU may write, and opens it.
     *
     * @param name of one, free
     * @param pid  of the QEMU
     * @return for reading; the caller's to close, and the file to delete
     * @throws GuestException when it cannot be made, or not be given to that user
     */
    public FileChannel file(String name, long pid) throws GuestException {
        make(pid);
        try {
            return open(path.resolve(name), pid);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private static FileChannel open(Path file, long pid) throws IOException {
        PrivateFiles.create(file);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ,
                LinkOption.NOFOLLOW_LINKS);
        boolean given = false;
        try {
            QemuSocket.give(file, pid);
            given = true;
            return channel;
        } finally {
            if (!given) {
                channel.close();
            }
        }
    }

    /**
     * Deletes it with all sockets in it, and never what a link names; what cannot be deleted stays,
     * and does no harm.
     */
    public void delete() {
        try (DirectoryStream<Path> above = Files.newDirectoryStream(path.getParent())) {
            Object own = requireOwn();
            // Of Linux every one is (java.nio.file.SecureDirectoryStream).
            SecureDirectoryStream<Path> parent = (SecureDirectoryStream<Path>) above;
            Path name = path.getFileName();
            try (SecureDirectoryStream<Path> folder = enter(parent, name)) {
                if (!own.equals(folder.getFileAttributeView(BasicFileAttributeView.class)
                        .readAttributes().fileKey())) {
                    return;
                }
                deleteGiven(folder);
                empty(folder);
            }
            parent.deleteDirectory(name);
        } catch (IOException e) {
            // A socket without a listener does no harm.
            return;
        }
    }

    private static SecureDirectoryStream<Path> enter(SecureDirectoryStream<Path> parent, Path name)
            throws IOException {
        return parent.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS);
    }

    private static void deleteGiven(SecureDirectoryStream<Path> folder) throws IOException {
        Path name = Path.of(GIVEN);
        try (SecureDirectoryStream<Path> given = enter(folder, name)) {
            empty(given);
        } catch (NoSuchFileException e) {
            return;
        }
        folder.deleteDirectory(name);
    }

    private static void empty(SecureDirectoryStream<Path> folder) throws IOException {
        for (Path one : folder) {
            folder.deleteFile(one.getFileName());
        }
    }
}
