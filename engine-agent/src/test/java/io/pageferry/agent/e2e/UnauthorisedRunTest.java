package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Somebody says {@code cont} to the loaded QEMU at the target, which nobody granted the guest. Its
 * agent stands still meanwhile, so that the guest surely runs.
 */
@Sampled
class UnauthorisedRunTest {
    @TempDir
    Path folder;

    private Rig rig;
    private BareGuest home;
    private BareGuest waiting;
    private Agent target;
    private Agent source;

    @BeforeEach
    void strays() throws IOException {
        E2e.needTracking();
        rig = new Rig(folder);
        DemoTools tools = TestMachines.tools();
        home = BareGuest.booting(tools, folder, "source", BareProgram.COUNTS);
        waiting = BareGuest.waiting(tools, folder, "target", BareProgram.COUNTS);
        target = rig.start("ready", List.of("receive", waiting.uri(), "--listen",
                "127.0.0.1:0", "--once"));
        source = rig.start("", List.of("migrate", home.uri(), "--to", target.address(),
                "--max-switchover", "60s"));
        target.awaitState("ready");
        try (QemuControl other = waiting.other()) {
            assertTrue(other.cont().running());
        }
        waiting.countsOn();
    }

    @AfterEach
    void end() throws IOException {
        if (rig != null) {
            rig.close();
        }
        for (BareGuest guest : new BareGuest[] {home, waiting}) {
            if (guest != null) {
                guest.close();
            }
        }
    }

    /** What it did there was done once: it goes on from there. */
    @Test
    void grantedItGoesOnFromThere() throws IOException {
        target.goOn();
        E2e.assertMoved(source, target);
        assertTrue(target.words().contains("somebody let the guest run here before it was granted"),
                target::toString);
        rig.awaitNothingLeft();
        assertEquals("gone", home.condition());
        waiting.countsOn();
    }

    /** The source's guest waits for the disk's lock until the strayed one is no more. */
    @Test
    void takenBackItIsEndedAndThatIsSaid() throws IOException {
        source.signal(Signal.TERM);
        source.await("the lock", event ->
                event.path("message").asText().contains("stays paused, trying again"));
        assertEquals("running", waiting.condition());
        target.goOn();
        E2e.assertEnds(7, "cancelled", source);
        E2e.assertEnds(4, "failed", target);
        String reason = target.report().at("/error/reason").asText();
        assertTrue(reason.contains("what it did here is lost"), reason);
        rig.awaitNothingLeft();
        assertEquals("gone", waiting.condition());
        home.countsOn();
    }
}
