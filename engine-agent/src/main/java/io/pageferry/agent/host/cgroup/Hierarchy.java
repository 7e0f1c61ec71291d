package io.pageferry.agent.host.cgroup;

import io.pageferry.agent.host.linux.ProcText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A mounted tree of control groups that may have a controller.
 *
 * @param version    1 (with the controller) or 2
 * @param mount      where it is mounted
 * @param root       which of its groups is mounted there, as {@code /proc/PID/cgroup} names groups
 * @param controller which is wanted, as {@code /proc/PID/cgroup} names it
 */
public record Hierarchy(int version, Path mount, String root, String controller) {
    private static final int ROOT_FIELD = 3;
    private static final int MOUNT_FIELD = 4;

    /**
     * Finds the mounted hierarchies (proc(5), mountinfo).
     *
     * @param proc       where proc is mounted
     * @param controller which is wanted; one of version 2 is found whether or not it has it
     * @return version 2 first
     * @throws IOException when the mounts cannot be read
     */
    public static List<Hierarchy> find(Path proc, String controller) throws IOException {
        String text = Files.readString(proc.resolve("self/mountinfo"),
                StandardCharsets.ISO_8859_1);
        return ProcText.parse("mountinfo", text, mounts -> parse(mounts, controller));
    }

    static List<Hierarchy> parse(String mounts, String controller) {
        List<Hierarchy> found = new ArrayList<>();
        for (String line : mounts.lines().toList()) {
            int split = line.indexOf(" - ");
            if (split < 0) {
                continue;
            }
            String[] mount = line.substring(0, split).split(" ");
            String[] type = line.substring(split + " - ".length()).split(" ");
            Path where = Path.of(ProcText.unescape(mount[MOUNT_FIELD]));
            if (type[0].equals("cgroup2")) {
                found.addFirst(new Hierarchy(2, where, ProcText.unescape(mount[ROOT_FIELD]),
                        controller));
            } else if (type[0].equals("cgroup")
                    && Arrays.asList(type[type.length - 1].split(",")).contains(controller)) {
                found.addLast(new Hierarchy(1, where, ProcText.unescape(mount[ROOT_FIELD]),
                        controller));
            }
        }
        return found;
    }

    /**
     * Finds the group that a thread or process is in.
     *
     * @param task its folder in proc
     * @return the group's folder
     * @throws IOException when the thread ended, or the group is not visible from here
     */
    public Path groupOf(Path task) throws IOException {
        Path file = task.resolve("cgroup");
        String group = ProcText.parse(file.toString(),
                Files.readString(file, StandardCharsets.ISO_8859_1), this::groupIn);
        if (group == null) {
            throw new IOException("no cgroup v" + version + " group in " + file);
        }
        return folder(group);
    }

    /** The name of the group; null where there is none of this hierarchy. */
    String groupIn(String groups) {
        for (String line : groups.lines().toList()) {
            String[] fields = line.split(":", 3);
            boolean ours = version == 2 ? fields[0].equals("0")
                    : Arrays.asList(fields[1].split(",")).contains(controller);
            if (ours) {
                return fields[2];
            }
        }
        return null;
    }

    private Path folder(String group) throws IOException {
        String prefix = root.equals("/") ? "" : root;
        if (!group.startsWith(prefix) || group.startsWith("/..")) {
            throw new IOException("the group " + group + " is not visible under " + mount);
        }
        return mount.resolve(group.substring(prefix.length()).replaceFirst("^/+", ""));
    }
}
