package io.pageferry.agent.e2e;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Tests that have faults happen in one rig. */
@Sampled
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class WithFaultRig {
    /** Not static: classes run side by side, and each has its own. */
    Path folder;

    FaultRig rig;

    @BeforeAll
    final void make(@TempDir Path own) throws IOException {
        folder = own;
        rig = new FaultRig(folder);
    }

    @AfterAll
    final void end() throws IOException {
        if (rig != null) {
            rig.close();
        }
    }
}
