package io.pageferry.agent.e2e;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.GuestLoad;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Tests of one QEMU guest, booted once for all of them; each leaves it where the next finds it. */
@Sampled
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class WithGuest {
    /** Not static: classes run side by side, and each has its own. */
    Path folder;

    Rig rig;
    MovingGuest home;

    /** What the guest does while it moves. */
    GuestLoad load() {
        return E2e.CALM;
    }

    @BeforeAll
    final void boot(@TempDir Path own) throws IOException {
        folder = own;
        DemoMachine machine = E2e.machine(load());
        rig = new Rig(folder);
        home = MovingGuest.boot(rig, machine);
    }

    @AfterAll
    final void end() throws IOException {
        if (rig != null) {
            rig.close();
        }
    }
}
