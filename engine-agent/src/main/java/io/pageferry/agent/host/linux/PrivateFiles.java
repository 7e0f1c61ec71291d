package io.pageferry.agent.host.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Makes files and folders that no other user may read, from their first moment on: what lies in
 * them was a guest's memory, or decides who runs it. Safe for any thread.
 */
public final class PrivateFiles {
    private static final int STICKY = 01000;

    private static final FileAttribute<?> FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<?> FOLDER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private PrivateFiles() {
    }

    /**
     * Makes an empty file of mode 0600.
     *
     * @param file its path
     * @throws java.nio.file.FileAlreadyExistsException where something is there, a symbolic link
     *                                                  too
     * @throws IOException                              when it cannot be made
     */
    public static void create(Path file) throws IOException {
        Files.createFile(file, FILE);
    }

    /**
     * Makes a folder of mode 0700.
     *
     * @param folder its path
     * @throws java.nio.file.FileAlreadyExistsException where something is there
     * @throws IOException                              when it cannot be made
     */
    public static void createFolder(Path folder) throws IOException {
        Files.createDirectory(folder, FOLDER);
    }

    /**
     * Makes a folder of mode 0700, and those above it that are missing.
     *
     * @param folder its path; it may be there
     * @throws IOException when it cannot be made
     */
    public static void createFolders(Path folder) throws IOException {
        Files.createDirectories(folder, FOLDER);
    }

    /**
     * Makes a file with a content, durable on return, in place of what is at its path.
     *
     * @param file  its path
     * @param bytes the content
     * @throws IOException when it cannot be written
     */
    public static void replace(Path file, byte[] bytes) throws IOException {
        Files.deleteIfExists(file);
        try (FileChannel channel = FileChannel.open(file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), FILE)) {
            ByteBuffer left = ByteBuffer.wrap(bytes);
            while (left.hasRemaining()) {
                // On a disk that is nearly full the first one takes a part, the next one fails.
                channel.write(left);
            }
            channel.force(true);
        }
    }

    /**
     * Gives a file another content, durable on return: whenever this ends, and also by a power cut,
     * it has the one or the other, whole.
     *
     * @param file  its path; beside it a {@code .new} comes and goes
     * @param bytes the content
     * @throws IOException when it cannot be written
     */
    public static void exchange(Path file, byte[] bytes) throws IOException {
        Path made = file.resolveSibling(file.getFileName() + ".new");
        replace(made, bytes);
        Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel folder = FileChannel.open(file.getParent())) {
            folder.force(true);
        }
    }

    /**
     * Returns whether users other than the owner may write to a file or folder.
     *
     * @param file its path; of a symbolic link what it leads to
     * @return true where its group or all others may
     * @throws IOException when it cannot be looked at
     */
    public static boolean othersMayWrite(Path file) throws IOException {
        Set<PosixFilePermission> rights = Files.getPosixFilePermissions(file);
        return rights.contains(PosixFilePermission.GROUP_WRITE)
                || rights.contains(PosixFilePermission.OTHERS_WRITE);
    }

    /**
     * Returns whether users other than the owner may put another file in the place of one.
     *
     * @param folder of the file
     * @return true where others may write to it, unless it is sticky and root's or this user's, as
     *         /tmp is: there each of them may only delete and move what is his
     * @throws IOException when it cannot be looked at
     */
    public static boolean othersMayReplace(Path folder) throws IOException {
        if (!othersMayWrite(folder)) {
            return false;
        }
        boolean sticky = ((Integer) Files.getAttribute(folder, "unix:mode") & STICKY) != 0;
        return !sticky || !isOfRootOrSelf(folder);
    }

    /**
     * Returns whether a file is nobody's who could not do here what this process does.
     *
     * @param file a file, a folder, a socket or a link, which is not followed
     * @return whether its owner is root or this process's user
     * @throws IOException when it cannot be looked at
     */
    public static boolean isOfRootOrSelf(Path file) throws IOException {
        Object owner = Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        return owner.equals(0)
                || owner.equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    }

    /**
     * Makes an empty file of mode 0600 unless something is at its path.
     *
     * @param file its path
     * @throws IOException when it cannot be made
     */
    public static void createIfMissing(Path file) throws IOException {
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            create(file);
        }
    }
}
