package io.pageferry.agent.host.throttle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A group that holds one thread back: inside the group that the thread was in, so that every limit
 * of that one holds on, and who undoes it needs no memory of where the thread came from. Its name
 * says whose it is, and whether the controller was enabled for it.
 */
final class HeldGroup {
    private static final String PREFIX = "pageferry-";
    private static final String ENABLED = "-enabled";
    /** A group is busy for a moment after its last thread ended. */
    private static final int TRIES = 200;
    private static final long RETRY_NANOS = 1_000_000;

    private HeldGroup() {
    }

    /** All groups made for a process, which a later one of the same number never is. */
    static String prefix(long pid, long startTicks) {
        return PREFIX + pid + "-" + startTicks + "-";
    }

    static Path make(CgroupFiles files, Control control, Path parent, String name)
            throws IOException {
        // Every one says it, because any of them may be the last to go.
        boolean enabled = control.mustEnable(files, parent) || files.children(parent).stream()
                .anyMatch(one -> isOne(one) && isEnabled(one));
        Path group = parent.resolve(name + (enabled ? ENABLED : ""));
        files.make(group);
        boolean made = false;
        try {
            control.prepare(files, group);
            made = true;
        } finally {
            if (!made) {
                dissolve(files, control, group);
            }
        }
        return group;
    }

    static boolean isOne(Path group) {
        return group.getFileName() != null
                && group.getFileName().toString().startsWith(PREFIX);
    }

    private static boolean isEnabled(Path group) {
        return group.getFileName().toString().endsWith(ENABLED);
    }

    /** Moves whatever is in it to the group around it, and removes it. */
    static void dissolve(CgroupFiles files, Control control, Path group) throws IOException {
        Path parent = group.getParent();
        for (int i = 0; Files.exists(group); i++) {
            try {
                for (String thread : threads(files, control, group)) {
                    home(files, control, parent, thread);
                }
                files.remove(group);
            } catch (IOException e) {
                if (i >= TRIES) {
                    throw e;
                }
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
        // Somebody else's group inside would lose its limit.
        if (isEnabled(group) && files.children(parent).isEmpty()
                && Files.exists(parent)) {
            control.disable(files, parent);
        }
    }

    /** Those in a group that are not the one for which it was made, such as a thread's child. */
    static void expelOthers(CgroupFiles files, Control control, Path group, long thread)
            throws IOException {
        for (String other : threads(files, control, group)) {
            if (!other.equals(Long.toString(thread))) {
                home(files, control, group.getParent(), other);
            }
        }
    }

    private static List<String> threads(CgroupFiles files, Control control, Path group)
            throws IOException {
        try {
            return files.read(group.resolve(control.threads())).lines()
                    .filter(line -> !line.isBlank()).toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    private static void home(CgroupFiles files, Control control, Path parent, String thread)
            throws IOException {
        try {
            files.write(parent.resolve(control.threads()), thread);
        } catch (IOException e) {
            // Of a thread that ended meanwhile nothing is left to move.
            if (Files.exists(Path.of("/proc", thread))) {
                throw e;
            }
        }
    }
}
