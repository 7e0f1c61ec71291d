package io.pageferry.agent.e2e;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.state.guard.GuardProcess;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.testing.guest.GuestContractTest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** A real QEMU, held to a guest's contract. It is booted anew where a test ended it. */
@Sampled
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class QemuContractTest extends GuestContractTest {
    @TempDir
    static Path folder;

    private Rig rig;
    private DemoMachine machine;
    private MovingGuest home;
    private GuardProcess guard;

    @BeforeAll
    void prepare() throws IOException {
        machine = E2e.machine(E2e.CALM);
        rig = new Rig(folder);
        guard = GuardProcess.start();
    }

    @AfterAll
    void finish() throws IOException {
        try {
            if (home != null) {
                home.unharmed();
            }
        } finally {
            if (guard != null) {
                guard.close();
            }
            if (rig != null) {
                rig.close();
            }
        }
    }

    @Override
    protected Guest open() throws IOException {
        if (home == null || !home.qemu().process().isAlive()) {
            home = MovingGuest.boot(rig, machine);
        }
        try (QemuControl control = home.qemu().control()) {
            if (!control.status().running()) {
                control.cont();
            }
        }
        GuestUri uri = GuestUri.parse(Rig.uri(home.qemu()));
        return GuestKinds.of(uri).openSource(uri, new GuestSetup(TrackerChoice.AUTO, false, guard));
    }

    /** QEMU saves a second time only once it ran again. */
    @Override
    protected boolean stateIsRepeatable() {
        return false;
    }

    @Override
    protected Duration effort() {
        return Duration.ofMillis(500);
    }
}
