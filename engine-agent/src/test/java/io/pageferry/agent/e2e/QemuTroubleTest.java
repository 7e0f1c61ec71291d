package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A move that is cancelled, or whose guest dies at one side in the middle. Where pre-copy must
 * last, the target is stopped by SIGSTOP as soon as it receives: its window fills, and the source
 * cannot get to the end.
 */
@Timeout(180)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class QemuTroubleTest {
    @TempDir
    static Path folder;

    private Rig rig;
    private Home home;
    private DemoQemu waiting;

    @BeforeAll
    void make() throws IOException {
        rig = new Rig(folder);
    }

    @AfterAll
    void end() throws IOException {
        if (rig != null) {
            rig.close();
        }
    }

    @BeforeEach
    void another() throws IOException {
        if (home == null) {
            home = Home.boot(rig, E2e.machine(GuestLoad.LIGHT));
        }
        waiting = rig.waiting(home.machine());
        home.remember();
    }

    @AfterEach
    void tidy() throws IOException {
        if (home == null || waiting != home.qemu()) {
            rig.end(waiting);
        }
    }

    @Test
    void aCancelledMoveChangesNothingAndTheNextSucceeds() throws IOException {
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, "");
        target.awaitState("receiving");
        target.signal(Signal.STOP);
        source.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", source);
        target.signal(Signal.CONT);
        Poll.until(Duration.ofSeconds(2), () -> Rig.isFree(waiting), () -> "not clean in time");
        E2e.assertEnds(4, "failed", target);
        rolledBack();
        assertEquals("inmigrate", Rig.condition(waiting));

        Agent again = rig.receive(waiting, "");
        E2e.assertMoved(rig.migrate(home.qemu(), again, ""), again);
        rig.awaitNothingLeft();
        home.livesOnAt(waiting);
    }

    @Test
    void aTargetThatIsCancelledLeavesTheGuestRunning() throws IOException {
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, "precopy");
        target.awaitState("reserved");
        source.awaitHold("precopy");
        source.signal(Signal.STOP);
        target.signal(Signal.TERM);
        E2e.assertEnds(4, "failed", target);
        source.kill();
        rolledBack();
        assertEquals("inmigrate", Rig.condition(waiting));
    }

    @Test
    void aGuestThatDiesAtTheSourceIsSaid() throws IOException {
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, "");
        target.awaitState("receiving");
        target.signal(Signal.STOP);
        home.qemu().process().kill();
        E2e.assertEnds(8, "guest-ended", source);
        assertTrue(source.report().at("/error/reason").asText().contains("ended"),
                source::toString);
        target.signal(Signal.CONT);
        E2e.assertEnds(4, "failed", target);
        rig.awaitNothingLeft();
        assertEquals("inmigrate", Rig.condition(waiting));
        rig.end(home.qemu());
        home = null;
    }

    @Test
    void aTargetGuestThatDiesWhileItReceivesLeavesTheSourceRunning() throws IOException {
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, "");
        target.awaitState("receiving");
        target.signal(Signal.STOP);
        waiting.process().kill();
        target.signal(Signal.CONT);
        E2e.assertEnds(4, "failed", source);
        E2e.assertEnds(4, "failed", target);
        rolledBack();
    }

    @Test
    void aTargetGuestThatDiesWhenLoadedLeavesTheSourceRunning() throws IOException {
        Agent target = rig.receive(waiting, "ready");
        Agent source = rig.migrate(home.qemu(), target, "", "--max-switchover", "3s");
        target.awaitHold("ready");
        waiting.process().kill();
        // A target that stands still gives no grant a chance: the source's own deadline ends it.
        E2e.assertEnds(4, "failed", source);
        target.kill();
        rolledBack();
    }

    private void rolledBack() throws IOException {
        rig.awaitNothingLeft();
        home.livesOn();
        home.isAsItWas();
        assertEquals(0, ConsoleLog.read(waiting.console()).lastTick());
    }
}
