package io.pageferry.agent.state.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A lock that a process holds by a file of its own and that the kernel takes away when the process
 * dies. The file is deleted with the lock.
 *
 * <p>The lock file holds nothing and nobody opens it but to lock it: closing any descriptor of a
 * file drops every lock that the process has on it.
 */
public final class HeldLock implements AutoCloseable {
    private static final int TRIES = 100;

    private final Path path;
    private final FileChannel channel;

    private HeldLock(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Tries to take a lock, without waiting.
     *
     * @param path the lock file, made when it is not there
     * @return the lock, or empty when somebody else holds it
     * @throws IOException when the file cannot be made or locked
     */
    public static Optional<HeldLock> tryLock(Path path) throws IOException {
        for (int i = 0; i < TRIES; i++) {
            try {
                Files.createFile(path);
            } catch (FileAlreadyExistsException e) {
                // Somebody's, or left by a killed process: the lock on it decides.
            }
            Object before = inode(path);
            Optional<FileChannel> channel = lock(path);
            if (channel.isEmpty() && before != null && before.equals(inode(path))) {
                return Optional.empty();
            }
            // Its holder deletes the file: a lock on a deleted one keeps nobody out. The file
            // that was opened between two equal looks at the path is the path's.
            if (channel.isPresent()) {
                if (before != null && before.equals(inode(path))) {
                    return Optional.of(new HeldLock(path, channel.get()));
                }
                channel.get().close();
            }
        }
        throw new IOException("cannot lock " + path + ": it is replaced again and again");
    }

    /** Gives the lock back and deletes its file. Idempotent. */
    @Override
    public void close() {
        try {
            if (channel.isOpen()) {
                Files.deleteIfExists(path);
                channel.close();
            }
        } catch (IOException e) {
            // The kernel takes the lock away with the process at the latest.
        }
    }

    private static Object inode(Path path) throws IOException {
        try {
            return Files.getAttribute(path, "unix:ino");
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private static Optional<FileChannel> lock(Path path) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.WRITE);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Held by this very process: as good as by another.
            lock = null;
        } finally {
            if (lock == null) {
                channel.close();
            }
        }
        return lock == null ? Optional.empty() : Optional.of(channel);
    }
}
