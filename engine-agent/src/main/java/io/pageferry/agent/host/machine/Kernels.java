package io.pageferry.agent.host.machine;

import io.pageferry.agent.host.machine.tree.Refusal;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The kernels that a system can start, and the drivers that each of them has. */
final class Kernels {
    private static final String MODULES = "/lib/modules";

    private final SystemTree tree;

    Kernels(SystemTree tree) {
        this.tree = tree;
    }

    /** {@return their releases} Those whose modules alone were left behind are not among them. */
    List<String> releases() throws IOException {
        List<String> releases = new ArrayList<>();
        for (String release : tree.list(MODULES)) {
            if (tree.exists(MODULES + "/" + release + "/modules.dep")
                    && (tree.exists("/boot/vmlinuz-" + release)
                    || tree.exists(MODULES + "/" + release + "/vmlinuz"))) {
                releases.add(release);
            }
        }
        if (releases.isEmpty()) {
            throw Refusal.of("there is no kernel in it with its modules (/boot/vmlinuz-…,"
                    + " /lib/modules)", "mount what holds /boot, or install a kernel there first");
        }
        return releases;
    }

    /** {@return the drivers that a kernel has as modules} */
    Set<String> modules(String release) throws IOException {
        return names(release, "modules.dep");
    }

    /** {@return the drivers that are in a kernel itself} */
    Set<String> builtin(String release) throws IOException {
        return names(release, "modules.builtin");
    }

    private Set<String> names(String release, String list) throws IOException {
        return tree.read(MODULES + "/" + release + "/" + list).orElse("").lines()
                .map(line -> line.replaceFirst(":.*", "")).map(Kernels::name)
                .collect(Collectors.toCollection(HashSet::new));
    }

    /** Of a path of a module, compressed or not. */
    static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1).replaceFirst("\\.ko(\\.\\w+)?$", "")
                .replace('-', '_');
    }

    /** Refuses where a kernel lacks what a world needs. */
    void require(World world) throws IOException {
        for (String release : releases()) {
            Set<String> has = modules(release);
            has.addAll(builtin(release));
            List<String> missing = world.needed().stream().filter(one -> !has.contains(one))
                    .toList();
            if (!missing.isEmpty()) {
                throw Refusal.of("kernel " + release + " has no driver " + String.join(", ",
                        missing), "install a kernel with it there (Debian: linux-image-amd64), or"
                        + " remove that kernel");
            }
        }
    }
}
