package io.pageferry.agent.host.cgroup;

import io.pageferry.agent.host.linux.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A group that was made inside another one, to be left again.
 *
 * @param files acts on it
 * @param path  its folder
 * @param list  its file that lists members and takes them: processes or threads
 */
public record NestedGroup(CgroupFiles files, Path path, String list) {
    /** A group is busy for a moment after its last member left it or ended. */
    private static final int TRIES = 200;
    private static final long RETRY_NANOS = 1_000_000;

    /**
     * Lists its members.
     *
     * @return their numbers; none where it is gone
     * @throws IOException when it cannot be read
     */
    public List<String> members() throws IOException {
        try {
            return files.read(path.resolve(list)).lines().filter(line -> !line.isBlank()).toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    /**
     * Moves a member to the group around it.
     *
     * @param member one of {@link #members}
     * @throws IOException when it cannot be moved, and has not ended
     */
    public void moveOut(String member) throws IOException {
        try {
            files.write(path.resolveSibling(list), member);
        } catch (IOException e) {
            // Of one that ended meanwhile nothing is left to move.
            if (Processes.isAlive(Long.parseLong(member))) {
                throw e;
            }
        }
    }

    /**
     * Moves all its members to the group around it, and removes it. Idempotent.
     *
     * @throws IOException when that is not possible
     */
    public void dissolve() throws IOException {
        for (int i = 0; Files.exists(path); i++) {
            try {
                for (String member : members()) {
                    moveOut(member);
                }
                files.remove(path);
            } catch (IOException e) {
                if (i >= TRIES) {
                    throw e;
                }
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }
}
