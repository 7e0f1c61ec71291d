package io.pageferry.agent.guest.qemu.start;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * A file whose words this process carries out: nobody but root and this process's own user may
 * have written it, or may put another one, or another folder or link on the way, in its place.
 */
final class OperatorFile {
    private static final int FILE_TYPE = 0170000;
    private static final int REGULAR = 0100000;
    private static final int FOLDER = 0040000;
    private static final int LINK = 0120000;
    private static final int STICKY = 01000;
    private static final int OTHERS_WRITE = 022;
    /** As many links on the way as the kernel follows (path_resolution(7)). */
    private static final int MOST_LINKS = 40;
    private static final int LONGEST = 1 << 20;
    /** Which of the users in status: the effective one. */
    private static final int EFFECTIVE = 2;

    private final Path file;
    private final long user;

    private OperatorFile(Path file, long user) {
        this.file = file;
        this.user = user;
    }

    /**
     * Reads a file of this process's user or root.
     *
     * @param file a path, of a link too
     * @return its content, 1 MiB at most
     * @throws GuestException when it is not there, or others may have a word in it
     */
    static byte[] read(Path file) throws GuestException {
        try {
            return read(file, Processes.user(Files.readString(Path.of("/proc/self/status"),
                    StandardCharsets.ISO_8859_1), EFFECTIVE));
        } catch (IOException e) {
            throw e instanceof GuestException refused ? refused : failed(file, e);
        }
    }

    /** As if this process were a user's. */
    static byte[] read(Path file, long user) throws GuestException {
        try {
            return new OperatorFile(file, user).content();
        } catch (NoSuchFileException e) {
            throw refused(file, e.getFile() + " is not there",
                    "pageferry describe GUEST, at the source, prints one");
        } catch (IOException e) {
            throw e instanceof GuestException refused ? refused : failed(file, e);
        }
    }

    private static GuestException failed(Path file, IOException e) {
        return refused(file, e.getMessage(), "make it readable");
    }

    private static GuestException refused(Path file, String why, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, "--start " + file + ": " + why, remedy);
    }

    private byte[] content() throws IOException {
        Path real = walk();
        try (InputStream in = Files.newInputStream(real, LinkOption.NOFOLLOW_LINKS)) {
            byte[] bytes = in.readNBytes(LONGEST + 1);
            if (bytes.length > LONGEST) {
                throw refused(file, "it has more than " + LONGEST + " bytes",
                        "name a file that pageferry describe wrote");
            }
            return bytes;
        }
    }

    /** Follows the path as the kernel does, and looks at each step of it. */
    private Path walk() throws IOException {
        Path at = Path.of("/");
        requireFolder(at);
        Deque<Path> left = new ArrayDeque<>();
        file.toAbsolutePath().forEach(left::add);
        for (int links = 0; !left.isEmpty();) {
            Path next = left.pop();
            if (next.toString().equals("..")) {
                at = at.getParent() == null ? at : at.getParent();
                continue;
            }
            if (next.toString().equals(".")) {
                continue;
            }
            Path step = at.resolve(next);
            int type = mode(step) & FILE_TYPE;
            if (type == LINK) {
                requireOwner(step);
                if (++links > MOST_LINKS) {
                    throw refused(file, "too many symbolic links", "name the file itself");
                }
                Path meant = Files.readSymbolicLink(step);
                at = meant.isAbsolute() ? Path.of("/") : at;
                for (int i = meant.getNameCount() - 1; i >= 0; i--) {
                    left.push(meant.getName(i));
                }
            } else if (left.isEmpty()) {
                requireFile(step, type);
                at = step;
            } else {
                requireFolder(step);
                at = step;
            }
        }
        return at;
    }

    private static Map<String, Object> attributes(Path path) throws IOException {
        return Files.readAttributes(path, "unix:mode,uid", LinkOption.NOFOLLOW_LINKS);
    }

    private static int mode(Path path) throws IOException {
        return (Integer) attributes(path).get("mode");
    }

    private void requireOwner(Path path) throws IOException {
        long owner = Integer.toUnsignedLong((Integer) attributes(path).get("uid"));
        if (owner != 0 && owner != user) {
            throw refused(file, path + " belongs to user " + owner + ", who could have this side"
                    + " start any program", "copy the file to a folder of root's or your own,"
                    + " and look at what it says");
        }
    }

    private void requireFile(Path path, int type) throws IOException {
        if (type != REGULAR) {
            throw refused(file, "it is no regular file", "name a file that pageferry describe"
                    + " wrote");
        }
        requireOwner(path);
        if ((mode(path) & OTHERS_WRITE) != 0) {
            throw refused(file, "other users may write to it, and could have this side start any"
                    + " program", "look at what it says, then chmod go-w " + path);
        }
    }

    /** In a sticky folder nobody replaces what is not theirs. */
    private void requireFolder(Path path) throws IOException {
        requireOwner(path);
        int mode = mode(path);
        if ((mode & FILE_TYPE) == FOLDER && (mode & OTHERS_WRITE) != 0 && (mode & STICKY) == 0) {
            throw refused(file, "other users may write to " + path + " and put another file in"
                    + " its place", "chmod go-w " + path + ", or move the file");
        }
    }
}
