package io.pageferry.agent.state.journal;

import io.pageferry.agent.host.linux.PrivateFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A lock that a process holds by a file of its own and that the kernel takes away when the process
 * dies. The file is deleted with the lock, where it may be.
 *
 * <p>The kernel drops every lock that a process has on a file when it closes any descriptor of it.
 * So a file that this process holds is never opened again: {@link #HELD} is asked first, and
 * only this class opens a lock file, one thread at a time.
 */
public final class HeldLock implements AutoCloseable {
    private static final int TRIES = 100;
    private static final Set<PosixFilePermission> ANYBODYS =
            PosixFilePermissions.fromString("rw-rw-rw-");

    /** Device and inode of each lock file that this process holds. */
    private static final Set<Object> HELD = new HashSet<>();

    private final Path path;
    private final FileChannel channel;
    private final Object key;

    private HeldLock(Path path, FileChannel channel, Object key) {
        this.path = path;
        this.channel = channel;
        this.key = key;
    }

    /**
     * Tries to take a lock, without waiting.
     *
     * @param path the lock file, made when it is not there
     * @return the lock, or empty when another process or this one holds it
     * @throws IOException when the file cannot be made or locked
     */
    public static Optional<HeldLock> tryLock(Path path) throws IOException {
        return tryLock(path, false);
    }

    /**
     * Tries to take a lock in a folder of this host that all users share, as above. Any user may
     * lock the file that another one left; it is not opened to be created, which the kernel forbids
     * root there (fs.protected_regular).
     *
     * @param path the lock file, made when it is not there
     * @return the lock, or empty when another process or this one holds it
     * @throws IOException when the file cannot be made or locked
     */
    static Optional<HeldLock> tryLockOfHost(Path path) throws IOException {
        return tryLock(path, true);
    }

    private static Optional<HeldLock> tryLock(Path path, boolean anybodys) throws IOException {
        synchronized (HELD) {
            for (int i = 0; i < TRIES; i++) {
                Object before = keyOrCreated(path, anybodys);
                if (HELD.contains(before)) {
                    return Optional.empty();
                }
                Optional<FileChannel> channel = lock(path);
                // Its holder deletes the file: a lock on a deleted one excludes no process. The
                // file that was opened between two equal looks at the path is the path's.
                boolean same = before != null && before.equals(key(path));
                if (same && channel.isPresent()) {
                    HELD.add(before);
                    return Optional.of(new HeldLock(path, channel.get(), before));
                }
                if (same) {
                    return Optional.empty();
                }
                if (channel.isPresent()) {
                    channel.get().close();
                }
            }
        }
        throw new IOException("cannot lock " + path + ": it is replaced again and again");
    }

    /** Gives the lock back and deletes its file. Idempotent. */
    @Override
    public void close() {
        synchronized (HELD) {
            if (!channel.isOpen()) {
                return;
            }
            try (channel) {
                if (key.equals(key(path))) {
                    Files.deleteIfExists(path);
                }
            } catch (IOException e) {
                // Another user's file may not be deleted; and the kernel takes the lock away with
                // the process at the latest.
            }
            HELD.remove(key);
        }
    }

    /** The file may be in use, or left by a killed process: the lock on it decides. */
    private static Object keyOrCreated(Path path, boolean anybodys) throws IOException {
        Object there = key(path);
        if (there == null) {
            try {
                PrivateFiles.create(path);
                if (anybodys) {
                    Files.setPosixFilePermissions(path, ANYBODYS);
                }
            } catch (FileAlreadyExistsException | NoSuchFileException e) {
                // Another process was faster: took it, or took it and gave it back.
            }
            there = key(path);
        }
        return there;
    }

    /** Looks at the path, which opens nothing; null where there is no file. */
    private static Object key(Path path) throws IOException {
        try {
            Map<String, Object> there = Files.readAttributes(path, "unix:dev,ino,isRegularFile",
                    LinkOption.NOFOLLOW_LINKS);
            if (!Boolean.TRUE.equals(there.get("isRegularFile"))) {
                throw new IOException("cannot lock " + path + ": it is no regular file");
            }
            return there;
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private static Optional<FileChannel> lock(Path path) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.WRITE,
                    LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (AccessDeniedException e) {
            throw new IOException("cannot lock " + path + ": its owner lets nobody else", e);
        }
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Held by this process through another class loader, whose set is not this one.
            lock = null;
        } finally {
            if (lock == null) {
                channel.close();
            }
        }
        return lock == null ? Optional.empty() : Optional.of(channel);
    }
}
