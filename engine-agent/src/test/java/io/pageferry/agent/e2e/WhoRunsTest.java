package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.ProcessMark;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An agent is killed in each state that it can be in, and afterwards exactly one guest runs, or
 * none while that is in doubt: the rows "agent dies" of the tables of docs/PROTOCOL.md. All tests
 * share one guest, which lives wherever the test before left it. See also {@link SettleTest}.
 */
class WhoRunsTest extends WithGuest {
    private DemoQemu waiting;

    @BeforeEach
    void another() throws IOException {
        waiting = rig.waiting(home.machine());
        home.remember();
    }

    @AfterEach
    void onlyOneLives() throws IOException {
        if (waiting != home.qemu()) {
            rig.end(waiting);
        }
        home.livesOn();
    }

    @ParameterizedTest
    @ValueSource(strings = {"round 0", "switchover", "paused"})
    void aSourceKilledBeforeItsGrantLeavesTheGuestRunning(String hold) throws IOException {
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, hold);
        source.awaitHold(hold);
        source.kill();
        E2e.assertEnds(4, "failed", target);
        assertEquals("source", target.report().at("/owner/side").asText());
        staysAtTheSource();
        waitsAsItWasFound();
        if (hold.equals("paused")) {
            movesAfterAll();
        }
    }

    @Test
    void aTargetKilledWhileItReceivesLeavesTheGuestRunning() throws IOException {
        Agent target = rig.receive(waiting, "receiving");
        Agent source = rig.migrate(home.qemu(), target, "");
        target.awaitHold("receiving");
        target.kill();
        E2e.assertEnds(4, "failed", source);
        staysAtTheSource();
        waitsAsItWasFound();
        movesAfterAll();
    }

    @Test
    void aTargetKilledWhenReadyLeavesTheGuestRunning() throws IOException {
        Agent target = rig.receive(waiting, "ready");
        Agent source = rig.migrate(home.qemu(), target, "");
        target.awaitHold("ready");
        target.kill();
        E2e.assertEnds(4, "failed", source);
        staysAtTheSource();
        assertEquals("gone", Rig.condition(waiting));
    }

    @Test
    void aKilledGuardEndsTheMoveBeforeAnythingIsPaused() throws IOException {
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, "");
        // A target that stands still keeps the source in pre-copy.
        target.awaitState("receiving");
        target.signal(Signal.STOP);
        ProcessMark.of(rig.guardOf(source)).kill();
        E2e.assertEnds(4, "failed", source);
        target.signal(Signal.CONT);
        assertTrue(source.report().at("/error/reason").asText().contains("guard"),
                source::toString);
        assertTrue(source.events().stream().noneMatch(event ->
                event.path("state").asText().equals("switchover")), source::toString);
        E2e.assertEnds(4, "failed", target);
        staysAtTheSource();
        waitsAsItWasFound();
    }

    /** Rolled back, with nothing left anywhere. */
    private void staysAtTheSource() throws IOException {
        rig.awaitNothingLeft();
        home.livesOn();
        home.isAsItWas();
        assertEquals(0, ConsoleLog.read(waiting.console()).lastTick());
    }

    private void waitsAsItWasFound() throws IOException {
        assertEquals("inmigrate", Rig.condition(waiting));
        assertTrue(Traces.of(waiting.process().pid()).isUntracked());
    }

    /** The next attempt succeeds, with the same QEMU at the target. */
    private void movesAfterAll() throws IOException {
        Agent target = rig.receive(waiting, "");
        E2e.assertMoved(rig.migrate(home.qemu(), target, ""), target);
        assertEquals("gone", Rig.condition(home.qemu()));
        home.movedTo(waiting);
        home.livesOn();
    }
}
