package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoQemu;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests of one guest with a raw and a qcow2 image, booted once for all of them. After each it has
 * every file, and its images are sound. Its QEMUs run as another user than the agents, as they do
 * under libvirt.
 */
@Sampled
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class WithDisks {
    /** Not static: classes run side by side, and each has its own. */
    Path folder;

    Rig rig;
    DiskGuest guest;
    MovingGuest home;
    /** What the guest's images are called now. */
    String images = "disk0";
    /** Waits for the guest. */
    DemoQemu waiting;

    /** Starts what waits for the guest, with the images that it is to find there. */
    abstract DemoQemu target() throws IOException;

    @BeforeAll
    final void boot(@TempDir Path own) throws IOException {
        folder = own;
        rig = new Rig(folder);
        rig.openToAll();
        guest = DiskGuest.make(folder);
        DiskGuest.format(folder, images);
        home = MovingGuest.boot(rig, guest.machine(folder, images));
    }

    @AfterAll
    final void end() throws IOException {
        if (rig == null) {
            return;
        }
        try {
            if (home != null) {
                DiskGuest.worksOn(home);
            }
        } finally {
            rig.close();
        }
    }

    @BeforeEach
    final void another() throws IOException {
        waiting = target();
        Poll.until(() -> DiskGuest.rounds(home) > 0, () -> "it does not get at its disks");
    }

    @AfterEach
    final void everyFileIsThere() throws IOException {
        rig.awaitNothingLeft();
        if (waiting != home.qemu()) {
            assertEquals(0, ConsoleLog.read(waiting.console()).lastTick());
            rig.end(waiting);
        }
        // The next test, or the end, sees whether it reads back what was there before.
        DiskGuest.worksOn(home, 1);
        DiskGuest.assertSound(home, DiskGuest.image(folder, images, "qcow2"));
    }
}
