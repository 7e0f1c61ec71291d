package io.pageferry.agent.e2e;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Tests that move guests by the two commands, with a rig for each of them. */
@Sampled
abstract class WithRig {
    @TempDir
    Path folder;

    Rig rig;

    @BeforeEach
    final void makeRig() throws IOException {
        rig = new Rig(folder);
    }

    @AfterEach
    final void endRig() throws IOException {
        rig.close();
    }

    /** Starts {@code receive --once} on a free port, and returns when it listens. */
    final Agent receive(String guest, String... more) throws IOException {
        Agent agent = rig.start("", with(List.of("receive", guest, "--listen", "127.0.0.1:0",
                "--once"), more));
        agent.address();
        return agent;
    }

    /** Starts {@code migrate}. */
    final Agent migrate(String guest, String to, String... more) throws IOException {
        return rig.start("", with(List.of("migrate", guest, "--to", to), more));
    }

    static List<String> with(List<String> some, String... more) {
        List<String> all = new ArrayList<>(some);
        all.addAll(List.of(more));
        return all;
    }
}
