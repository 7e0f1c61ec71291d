package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.machine.tree.Refusal;
import io.pageferry.agent.host.process.ProgramRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** virt-v2v, where it is installed: it knows Windows, LVM and encrypted disks. */
final class VirtV2v {
    private static final String NAME = "virt-v2v-in-place";
    private static final Duration LIMIT = Duration.ofHours(6);

    private VirtV2v() {
    }

    /** Looks for it. Distributions have it in different folders. */
    static Path find() throws IOException {
        List<String> folders = new ArrayList<>(List.of(
                System.getenv().getOrDefault("PATH", "/usr/bin").split(":")));
        folders.add("/usr/libexec");
        return folders.stream().flatMap(folder -> Stream.of(Path.of(folder, NAME)))
                .filter(Files::isExecutable).findFirst().orElseThrow(() -> Refusal.of("there is no "
                        + NAME + " on this host", "install virt-v2v, or leave --adapter out"));
    }

    /** Has it convert a disk in place. */
    static void run(ProgramRunner runner, Path program, Path overlay) throws IOException {
        // Without libvirt: its daemon would be another user's.
        runner.require(List.of("env", "LIBGUESTFS_BACKEND=direct", program.toString(), "-i", "disk",
                "-if", "qcow2", overlay.toString()), LIMIT);
    }
}
