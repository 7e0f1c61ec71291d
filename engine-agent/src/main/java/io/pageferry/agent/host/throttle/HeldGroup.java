package io.pageferry.agent.host.throttle;

import io.pageferry.agent.host.cgroup.CgroupFiles;
import io.pageferry.agent.host.cgroup.NestedGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A group that holds one thread back: inside the group that the thread was in, so that every limit
 * of that one holds on, and a recovery can undo it without a record of where the thread came from.
 * Its name has its owner, and whether the controller was enabled for it.
 */
final class HeldGroup {
    private static final String PREFIX = "pageferry-";
    private static final String ENABLED = "-enabled";

    private HeldGroup() {
    }

    /** All groups made for a process, which a later one of the same number never is. */
    static String prefix(long pid, long startTicks) {
        return PREFIX + pid + "-" + startTicks + "-";
    }

    static Path make(CgroupFiles files, Control control, Path parent, String name)
            throws IOException {
        // Each name has it, because any of them may be the last to go.
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
        new NestedGroup(files, group, control.threads()).dissolve();
        // Another program's group inside would lose its limit.
        if (isEnabled(group) && files.children(parent).isEmpty()
                && Files.exists(parent)) {
            control.disable(files, parent);
        }
    }

    /** Those in a group that are not the one for which it was made, such as a thread's child. */
    static void expelOthers(CgroupFiles files, Control control, Path group, long thread)
            throws IOException {
        NestedGroup nested = new NestedGroup(files, group, control.threads());
        for (String other : nested.members()) {
            if (!other.equals(Long.toString(thread))) {
                nested.moveOut(other);
            }
        }
    }
}
