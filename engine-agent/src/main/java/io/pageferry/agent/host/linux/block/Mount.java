package io.pageferry.agent.host.linux.block;

import io.pageferry.agent.host.linux.ProcText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A mount, as {@code /proc/PID/mountinfo} shows it (proc(5)).
 *
 * @param id      number of the mount
 * @param device  of its file system; major 0 where that is on no block device, or on several
 * @param root    which of its folders is mounted there, {@code /} for all of it
 * @param point   where it is mounted
 * @param type    of the file system, {@code ext4} for example
 * @param source  what it was mounted from, mostly a device node
 * @param options of the file system, separated by commas
 */
public record Mount(int id, DeviceNumber device, String root, Path point, String type,
        String source, String options) {
    private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");
    private static final int DEVICE_FIELD = 2;
    private static final int ROOT_FIELD = 3;
    private static final int POINT_FIELD = 4;
    private static final int SOURCE_FIELD = 1;
    private static final int OPTIONS_FIELD = 2;
    private static final String SEPARATOR = " - ";

    /**
     * Lists what this process sees mounted.
     *
     * @return the mounts in the order of mounting
     * @throws IOException when that cannot be read
     */
    public static List<Mount> all() throws IOException {
        return of(MOUNTINFO);
    }

    /**
     * Lists what a process sees mounted.
     *
     * @param mountinfo its file in {@code /proc}
     * @return the mounts in the order of mounting
     * @throws IOException when that cannot be read
     */
    public static List<Mount> of(Path mountinfo) throws IOException {
        // Names are bytes, of whatever encoding.
        return ofText(Files.readString(mountinfo, StandardCharsets.ISO_8859_1));
    }

    static List<Mount> ofText(String mountinfo) throws IOException {
        return ProcText.parse("mountinfo", mountinfo, Mount::parse);
    }

    private static List<Mount> parse(String mounts) {
        List<Mount> found = new ArrayList<>();
        for (String line : mounts.lines().toList()) {
            int split = line.indexOf(SEPARATOR);
            if (split < 0) {
                throw new IllegalArgumentException(line);
            }
            String[] mount = line.substring(0, split).split(" ");
            String[] type = line.substring(split + SEPARATOR.length()).split(" ");
            found.add(new Mount(Integer.parseInt(mount[0]),
                    DeviceNumber.parse(mount[DEVICE_FIELD]), ProcText.unescape(mount[ROOT_FIELD]),
                    Path.of(ProcText.unescape(mount[POINT_FIELD])), type[0],
                    ProcText.unescape(type[SOURCE_FIELD]), ProcText.unescape(type[OPTIONS_FIELD])));
        }
        return found;
    }

    /**
     * Finds the mount that a path is in: the last one over the longest part of it.
     *
     * @param path   absolute
     * @param mounts all
     * @return the mount
     */
    public static Optional<Mount> of(Path path, List<Mount> mounts) {
        Mount best = null;
        for (Mount mount : mounts) {
            if (path.startsWith(mount.point()) && (best == null
                    || mount.point().getNameCount() >= best.point().getNameCount())) {
                best = mount;
            }
        }
        return Optional.ofNullable(best);
    }

    /**
     * Finds an option.
     *
     * @param name of the option
     * @return its value, where it is given
     */
    public Optional<String> option(String name) {
        return List.of(options.split(",")).stream().filter(one -> one.startsWith(name + "="))
                .map(one -> one.substring(name.length() + 1)).findFirst();
    }
}
