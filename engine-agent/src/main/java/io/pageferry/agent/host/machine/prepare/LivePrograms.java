package io.pageferry.agent.host.machine.prepare;

import io.pageferry.agent.host.machine.tree.Programs;
import io.pageferry.agent.host.process.ProgramRunner;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Programs of the running system, or of a tree as its root. */
final class LivePrograms implements Programs {
    /** An initramfs for each of several kernels. */
    private static final Duration LIMIT = Duration.ofMinutes(30);

    private final ProgramRunner runner;
    private final Path root;

    LivePrograms(ProgramRunner runner, Path root) {
        this.runner = runner;
        this.root = root;
    }

    @Override
    public String run(List<String> command) throws IOException {
        List<String> all = new ArrayList<>();
        if (root.getNameCount() > 0) {
            all.addAll(List.of("chroot", root.toString()));
        }
        all.addAll(List.of("/usr/bin/env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"));
        all.addAll(command);
        return runner.run(all, LIMIT).require(command);
    }
}
