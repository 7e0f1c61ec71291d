package io.pageferry.agent.guest.image;

import io.pageferry.agent.host.linux.PrivateFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.Optional;

/**
 * An image on its way to its name: it is filled and completed under another one, {@code
 * FILE.part-TOKEN}, and renamed when the guest is this host's. So what had the name before, mostly
 * an older image, is there until then, whoever offers what. Every step can be done again by
 * whoever finds it half done.
 *
 * @param file  the name that it is to have
 * @param birth token of this image, in its table too
 */
record UnpublishedImage(Path file, String birth) {
    private static final int TOKEN_DIGITS = 8;

    /** {@return where its memory is until it is published} */
    Path part() {
        return file.resolveSibling(file.getFileName() + ".part-"
                + birth.substring(0, Math.min(TOKEN_DIGITS, birth.length())));
    }

    /** Makes the file, all of it a hole; where that fails nothing is left. */
    void create(long size) throws IOException {
        PrivateFiles.create(part());
        boolean made = false;
        try (RandomAccessFile access = new RandomAccessFile(part().toFile(), "rw")) {
            access.setLength(size);
            made = true;
        } finally {
            if (!made) {
                Files.deleteIfExists(part());
            }
        }
    }

    /** Completes it, durable on return. The table last: where it is, all else is on the disk. */
    void complete(byte[] state, ImageTable table) throws IOException {
        try (FileChannel channel = FileChannel.open(part(), StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        keepOwner();
        PrivateFiles.replace(MemoryImageFiles.state(part()), state);
        PrivateFiles.replace(MemoryImageFiles.table(part()), table.toBytes());
        forceFolder();
    }

    /** A file that was made for another user keeps its owner and mode. */
    private void keepOwner() throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        PosixFileAttributeView made =
                Files.getFileAttributeView(part(), PosixFileAttributeView.class);
        PosixFileAttributes wanted = Files.readAttributes(file, PosixFileAttributes.class);
        PosixFileAttributes now = made.readAttributes();
        if (!wanted.owner().equals(now.owner())) {
            made.setOwner(wanted.owner());
        }
        if (!wanted.group().equals(now.group())) {
            made.setGroup(wanted.group());
        }
        made.setPermissions(wanted.permissions());
    }

    /**
     * Gives it its name, in place of an older image. Between the first and the last step there is
     * none of that name: a table never stands beside another image's memory.
     */
    void publish() throws IOException {
        if (Files.exists(part())) {
            MemoryImageFiles.deleteTable(file);
            forceFolder();
            move(part(), file);
        }
        move(MemoryImageFiles.state(part()), MemoryImageFiles.state(file));
        move(MemoryImageFiles.table(part()), MemoryImageFiles.table(file));
        forceFolder();
    }

    private static void move(Path from, Path to) throws IOException {
        if (Files.exists(from)) {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    private void forceFolder() throws IOException {
        try (FileChannel folder = FileChannel.open(file.getParent())) {
            folder.force(true);
        }
    }

    /** {@return whether any of it is there, under either name} */
    boolean exists() throws IOException {
        return Files.exists(part()) || isBetween() || isPublished();
    }

    /** Its memory has its name already, and its table not yet. */
    private boolean isBetween() {
        return !Files.exists(part()) && Files.exists(MemoryImageFiles.table(part()))
                && !Files.exists(MemoryImageFiles.table(file));
    }

    private boolean isPublished() throws IOException {
        return ImageTable.birthBeside(file).filter(birth::equals).isPresent();
    }

    /** Deletes it, under whichever name; returns what could not be. */
    Optional<IOException> delete() {
        try {
            IOException left = isBetween() || isPublished() ? MemoryImageFiles.delete(file) : null;
            IOException also = MemoryImageFiles.delete(part());
            return Optional.ofNullable(left == null ? also : left);
        } catch (IOException e) {
            return Optional.of(e);
        }
    }
}
