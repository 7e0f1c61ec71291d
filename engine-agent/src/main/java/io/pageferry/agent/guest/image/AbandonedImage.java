package io.pageferry.agent.guest.image;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * An image whose agent is gone, as a guard finds it. Its path may be another one's by now: a
 * complete image is known by the token that stands in its table, another one by inode and size.
 *
 * @param file  where it was made
 * @param birth its token, another one in each migration
 * @param inode its file while it is filled, as of {@link #inode}
 */
record AbandonedImage(Path file, String birth, String inode) implements GuestHandle {
    private static final String FILE = "image";
    private static final String BIRTH = "birth";
    private static final String INODE = "inode";

    /** Finds the image of an {@link #address}, once its file was made. */
    static Optional<AbandonedImage> of(Map<String, String> address) {
        return Optional.ofNullable(address.get(FILE)).map(Path::of).map(file ->
                new AbandonedImage(file, address.get(BIRTH), address.get(INODE)));
    }

    /** Returns how a guard finds it again. */
    Map<String, String> address() {
        return inode == null ? Map.of(FILE, file.toString())
                : Map.of(FILE, file.toString(), BIRTH, birth, INODE, inode);
    }

    /** Inode and size of a file; the device's number may be another one after a reboot. */
    static String inode(Path file) throws IOException {
        return Files.getAttribute(file, "unix:ino") + ":" + Files.size(file);
    }

    /** What deletes an image begins with its table and ends with its file. */
    private boolean isHere() throws GuestException {
        if (birth == null || inode == null) {
            return false;
        }
        try {
            Optional<String> complete = ImageTable.birthBeside(file);
            return complete.isPresent() ? birth.equals(complete.get())
                    : inode.equals(inode(file));
        } catch (NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "cannot tell whose image " + file
                    + " is: " + e.getMessage(), "look at it, and at its table");
        }
    }

    @Override
    public Condition condition() throws GuestException {
        return isHere() ? Condition.PAUSED : Condition.GONE;
    }

    @Override
    public void resume() {
        // An image does not run.
    }

    @Override
    public void end() throws GuestException {
        forget();
    }

    @Override
    public void forget() throws GuestException {
        IOException left = isHere() ? MemoryImageFiles.delete(file) : null;
        if (left != null) {
            throw new GuestException(ErrorCode.HOST_FAILED,
                    "cannot delete the image: " + left.getMessage(), "delete " + file);
        }
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
