package io.pageferry.agent.host.cgroup;

import io.pageferry.agent.host.linux.ProcText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How much memory the control groups of a process still give it: the tightest of all groups up the
 * tree (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst).
 *
 * @param bytes left, 0 where there are none
 * @param group whose limit that is
 * @param limit the file that holds the limit
 */
public record MemoryRoom(long bytes, Path group, String limit) {
    private static final String CONTROLLER = "memory";

    /** The files of one version. */
    private record Names(String limit, String usage, String prefix) { }

    private static final Names V1 =
            new Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_");
    private static final Names V2 = new Names("memory.max", "memory.current", "");

    /**
     * Looks at the groups of a process.
     *
     * @param proc where proc is mounted
     * @param pid  the process
     * @return empty where no group sets a limit, or none can be seen
     */
    public static Optional<MemoryRoom> of(Path proc, long pid) {
        MemoryRoom tightest = null;
        try {
            for (Hierarchy hierarchy : Hierarchy.find(proc, CONTROLLER)) {
                tightest = tighter(tightest,
                        of(hierarchy, proc.resolve(Long.toString(pid))));
            }
        } catch (IOException e) {
            return Optional.empty();
        }
        return Optional.ofNullable(tightest);
    }

    private static MemoryRoom of(Hierarchy hierarchy, Path process) {
        MemoryRoom tightest = null;
        try {
            Path group = hierarchy.groupOf(process);
            while (group != null && group.startsWith(hierarchy.mount())) {
                tightest = tighter(tightest, of(group, hierarchy.version() == 2 ? V2 : V1));
                group = group.getParent();
            }
        } catch (IOException e) {
            // What cannot be seen from here is found out by filling it.
            return tightest;
        }
        return tightest;
    }

    private static MemoryRoom tighter(MemoryRoom one, MemoryRoom other) {
        return one == null || other != null && other.bytes < one.bytes ? other : one;
    }

    /** Null where this group has no limit. */
    private static MemoryRoom of(Path group, Names files) throws IOException {
        Path limit = group.resolve(files.limit());
        if (!Files.exists(limit)) {
            // The root has none, and so has a group without the controller.
            return null;
        }
        String text = Files.readString(limit).strip();
        if (text.equals("max")) {
            return null;
        }
        long used = ProcText.parse(files.usage(),
                Files.readString(group.resolve(files.usage())).strip(), Long::parseLong)
                - ProcText.parse("memory.stat", Files.readString(group.resolve("memory.stat")),
                        stat -> reclaimable(stat, files));
        long most = ProcText.parse(files.limit(), text, Long::parseLong);
        return new MemoryRoom(Math.max(0, most - used), group, files.limit());
    }

    /** The kernel drops cached files before it refuses memory; tmpfs is not among them. */
    private static long reclaimable(String stat, Names files) {
        long bytes = 0;
        for (String line : stat.lines().toList()) {
            String[] entry = line.split(" ");
            if (entry[0].equals(files.prefix() + "inactive_file")
                    || entry[0].equals(files.prefix() + "active_file")) {
                bytes += Long.parseLong(entry[1]);
            }
        }
        return bytes;
    }
}
