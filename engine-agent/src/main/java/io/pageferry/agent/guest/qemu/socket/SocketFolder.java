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
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where the sockets between an agent and one QEMU are: a folder of a name that nobody can know
 * before, and that no other user may enter. A socket of a known name below /tmp would be there
 * already, made by any local user, when the guest is paused. It is made for the first socket.
 *
 * <p>A QEMU may see another file system than the agent: in a container, or with a /tmp of its own
 * (PrivateTmp of systemd). Then it lies in QEMU's, and the agent reaches it by
 * {@code /proc/PID/root}.
 *
 * @param path of the folder, as the agent names it
 */
public record SocketFolder(Path path) {
    private static final String KEY = "sockets";
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
     * @param pid of the QEMU, whose user may enter it
     * @throws GuestException when it cannot be made, or not be given to that user
     */
    public void make(long pid) throws GuestException {
        try {
            if (!Files.isDirectory(path)) {
                PrivateFiles.createFolder(path);
                QemuSocket.give(path, pid);
            }
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "cannot make the folder " + path
                    + " for sockets: " + e.getMessage(), "look at the folder for temporary files");
        }
    }

    /**
     * Makes a file in it that QEMU may write, and opens it: what is read of it then is what was
     * written to this file, whatever QEMU's user puts in its place.
     *
     * @param name of one, free
     * @param pid  of the QEMU
     * @return for reading; the caller's to close, and the file to delete
     * @throws IOException when it cannot be made, or not be given to that user
     */
    public FileChannel file(String name, long pid) throws IOException {
        make(pid);
        Path file = path.resolve(name);
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

    /** Deletes it with all sockets in it; what cannot be deleted stays, and does no harm. */
    public void delete() {
        if (!Files.isDirectory(path)) {
            return;
        }
        try (DirectoryStream<Path> sockets = Files.newDirectoryStream(path)) {
            for (Path one : sockets) {
                Files.deleteIfExists(one);
            }
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // A socket without a listener does no harm.
            return;
        }
    }
}
