package io.pageferry.agent.host.cgroup;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The few acts on a tree of control groups. A seam: what the kernel at hand has not is tried on a
 * tree of plain files.
 */
public interface CgroupFiles {
    /** The kernel's own. */
    CgroupFiles KERNEL = new CgroupFiles() {
        @Override
        public void make(Path group) throws IOException {
            Files.createDirectory(group);
        }

        @Override
        public void remove(Path group) throws IOException {
            Files.deleteIfExists(group);
        }

        @Override
        public String read(Path file) throws IOException {
            return Files.readString(file);
        }

        @Override
        public void write(Path file, String value) throws IOException {
            // One write: the kernel takes each as a command. Nothing is made or cut short.
            Files.writeString(file, value, StandardOpenOption.WRITE);
        }
    };

    /**
     * Makes a group.
     *
     * @param group its folder
     * @throws IOException when the kernel refuses it
     */
    void make(Path group) throws IOException;

    /**
     * Removes an empty group, with the files that the kernel has put into it.
     *
     * @param group its folder
     * @throws IOException when it is not empty, or busy
     */
    void remove(Path group) throws IOException;

    /**
     * Reads a file of a group.
     *
     * @param file to read
     * @return all of it
     * @throws IOException when it cannot be read
     */
    String read(Path file) throws IOException;

    /**
     * Writes a file of a group, in one go.
     *
     * @param file  to write
     * @param value the command
     * @throws IOException when the kernel refuses it
     */
    void write(Path file, String value) throws IOException;

    /**
     * Lists the groups inside a group.
     *
     * @param group its folder
     * @return them; none where it is gone
     * @throws IOException when it cannot be read
     */
    default List<Path> children(Path group) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> inside = Files.newDirectoryStream(group,
                path -> Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))) {
            inside.forEach(found::add);
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return found;
    }
}
