package io.pageferry.agent.trust;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets one at a time change what is in a trust folder: commands and the agent are processes of
 * their own. Who has it may take it again. Any thread.
 *
 * @param file in the folder, made when it is not there; it stays
 */
record TrustLock(Path file) {
    /** The kernel's lock is the process's, and any descriptor that is closed gives it back. */
    private static final ReentrantLock PROCESS = new ReentrantLock();

    /** What is done meanwhile. */
    @FunctionalInterface
    interface Work<T> {
        T run() throws IOException, GeneralSecurityException;
    }

    /** Waits for the lock, as long as another one works, and works then. */
    <T> T holding(Work<T> work) throws IOException, GeneralSecurityException {
        PROCESS.lock();
        try {
            if (PROCESS.getHoldCount() > 1) {
                return work.run();
            }
            try (FileChannel channel = FileChannel.open(file, Set.of(StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
                    FileLock lock = channel.lock()) {
                if (!lock.isValid()) {
                    throw new IOException(file + " cannot be locked");
                }
                return work.run();
            }
        } finally {
            PROCESS.unlock();
        }
    }
}
