package io.pageferry.agent.host.machine.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What is to be changed in the files of a system: kept together until it is applied, and seen by
 * whoever reads here meanwhile.
 */
public final class Edits {
    private static final Set<PosixFilePermission> FILE =
            PosixFilePermissions.fromString("rw-r--r--");
    private static final Set<PosixFilePermission> PROGRAM =
            PosixFilePermissions.fromString("rwxr-xr-x");

    private final SystemTree tree;
    private final Map<String, Edit> edits = new LinkedHashMap<>();
    private final List<String> warnings = new ArrayList<>();

    /**
     * A change of a file.
     *
     * @param path   in the system
     * @param before its text; null where it is not there
     * @param after  its text; null where it is to be removed
     * @param mode   of a new file: {@code 755} or {@code 644}
     * @param what   is done by it, for people
     */
    public record Edit(String path, String before, String after, int mode, String what) { }

    private static final int PROGRAM_MODE = 755;
    private static final int FILE_MODE = 644;

    /**
     * Begins without a change.
     *
     * @param tree the system
     */
    public Edits(SystemTree tree) {
        this.tree = tree;
    }

    /** {@return the system as it is} */
    public SystemTree tree() {
        return tree;
    }

    /**
     * Reads a file as it will be.
     *
     * @param path in the system
     * @return its text; empty where there is none
     * @throws IOException when it cannot be read
     */
    public Optional<String> read(String path) throws IOException {
        Edit edit = edits.get(path);
        return edit == null ? tree.read(path) : Optional.ofNullable(edit.after());
    }

    /**
     * Changes a file, or makes it.
     *
     * @param path in the system
     * @param text all of it
     * @param what is done by it
     * @throws IOException when what is there cannot be read
     */
    public void write(String path, String text, String what) throws IOException {
        put(path, text, FILE_MODE, what);
    }

    /**
     * Makes a program.
     *
     * @param path in the system
     * @param text all of it
     * @param what is done by it
     * @throws IOException when what is there cannot be read
     */
    public void writeProgram(String path, String text, String what) throws IOException {
        put(path, text, PROGRAM_MODE, what);
    }

    /**
     * Removes a file, where it is there.
     *
     * @param path in the system
     * @param what is done by it
     * @throws IOException when it cannot be read
     */
    public void remove(String path, String what) throws IOException {
        if (read(path).isPresent()) {
            put(path, null, FILE_MODE, what);
        }
    }

    private void put(String path, String text, int mode, String what) throws IOException {
        Edit earlier = edits.get(path);
        String before = earlier == null ? tree.read(path).orElse(null) : earlier.before();
        String why = earlier == null || earlier.what().contains(what) ? what
                : earlier.what() + "; " + what;
        if (text == null ? before == null : text.equals(before)) {
            edits.remove(path);
        } else {
            edits.put(path, new Edit(path, before, text, mode, why));
        }
    }

    /**
     * Adds what somebody should look at.
     *
     * @param what one line
     */
    public void warn(String what) {
        if (!warnings.contains(what)) {
            warnings.add(what);
        }
    }

    /** {@return what somebody should look at} */
    public List<String> warnings() {
        return List.copyOf(warnings);
    }

    /** {@return the changes, in the order of their making} */
    public List<Edit> all() {
        return List.copyOf(edits.values());
    }

    /**
     * Writes them all, each durably.
     *
     * @throws IOException when one cannot be written; those before it are
     */
    public void apply() throws IOException {
        for (Edit edit : edits.values()) {
            put(tree, edit.path(), edit.after(), edit.mode());
        }
    }

    /**
     * Gives a file a content, in place: its owner, rights and labels stay.
     *
     * @param tree the system
     * @param path in it
     * @param text all of it; null where it is to be removed
     * @param mode of a file that is made
     * @throws IOException when it cannot be written
     */
    public static void put(SystemTree tree, String path, String text, int mode)
            throws IOException {
        Path file = tree.resolve(path);
        if (text == null) {
            Files.deleteIfExists(file);
            return;
        }
        boolean made = !Files.exists(file, LinkOption.NOFOLLOW_LINKS);
        if (made) {
            Files.createDirectories(file.getParent());
        }
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE,
                StandardOpenOption.WRITE)) {
            if (made) {
                setMode(file, mode);
            }
            // What is shorter is cut behind the write, so that the file is never empty.
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.truncate(bytes.limit());
            out.force(true);
        }
    }

    /** FAT has no rights of a file: where it does not take them, those of its mount hold. */
    private static void setMode(Path file, int mode) throws IOException {
        try {
            Files.setPosixFilePermissions(file, mode == PROGRAM_MODE ? PROGRAM : FILE);
        } catch (FileSystemException e) {
            if (mode == PROGRAM_MODE) {
                throw e;
            }
        }
    }
}
