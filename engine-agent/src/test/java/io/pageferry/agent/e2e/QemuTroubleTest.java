package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A move that is cancelled, or whose guest dies at one side in the middle. Where pre-copy must
 * last, the target is stopped by SIGSTOP as soon as it receives: its window fills, and the source
 * cannot get to the end.
 */
@Sampled
@Tag("timing")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class QemuTroubleTest {
    @TempDir
    static Path folder;

    private Rig rig;
    private MovingGuest home;
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
            home = MovingGuest.boot(rig, E2e.machine(E2e.CALM));
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

    @ParameterizedTest
    @EnumSource(names = {"TERM", "INT"})
    void aCancelledMoveChangesNothingAndTheNextSucceeds(Signal signal) throws IOException {
        Agent target = rig.receive(waiting, "");
        // A shell that starts something in the background has it ignore SIGINT.
        Agent source = rig.start(new Start(List.of("env", "--default-signal=INT"), List.of(),
                List.of("migrate", Rig.uri(home.qemu()), "--to", target.address())));
        target.awaitState("receiving");
        target.signal(Signal.STOP);
        source.signal(signal);
        E2e.assertEnds(7, "cancelled", source);
        target.signal(Signal.CONT);
        Poll.soon(Duration.ofSeconds(2), () -> Rig.isFree(waiting), "not clean", target);
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
        Agent source = rig.migrate(home.qemu(), target, "round 0");
        target.awaitState("reserved");
        source.awaitHold("round 0");
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
        Agent source = rig.migrate(home.qemu(), target, "", "--max-switchover", "6s");
        target.awaitHold("ready");
        waiting.process().kill();
        // A target that stands still gives no grant a chance: the source's own deadline ends it.
        E2e.assertEnds(4, "failed", source);
        target.kill();
        rolledBack();
    }

    @Test
    void aMonitorThatAnotherClientHoldsIsSaid() throws IOException {
        Agent target = rig.receive(waiting, "");
        try (QemuControl held = home.qemu().control()) {
            refusedForTheMonitor(rig.migrate(home.qemu(), target, ""));
            assertTrue(held.status().running());
        }
        target.signal(Signal.TERM);
        target.exit();
        rig.awaitNothingLeft();
        try (QemuControl held = waiting.control()) {
            refusedForTheMonitor(rig.start("", List.of("receive", Rig.uri(waiting),
                    "--listen", "127.0.0.1:0", "--once")));
            assertEquals(RunState.INMIGRATE, held.status().state());
        }
        home.isAsItWas();
        home.livesOn();
    }

    /** After the 5 s in which a monitor should have greeted, and the start of a JVM. */
    private static void refusedForTheMonitor(Agent agent) throws IOException {
        long start = System.nanoTime();
        E2e.assertEnds(3, "refused", agent);
        long seconds = (System.nanoTime() - start - agent.withheldNanos()) / 1_000_000_000;
        assertTrue(seconds < 15, () -> "it took " + seconds + " s");
        assertEquals("give Pageferry a -qmp of its own",
                agent.report().at("/error/remedy").asText(), agent::toString);
        List<String> words = agent.words().lines().filter(line -> line.contains("-qmp")).toList();
        assertEquals(1, words.size(), agent::toString);
        assertTrue(words.getFirst().contains("another client"), agent::toString);
    }

    private void rolledBack() throws IOException {
        rig.awaitNothingLeft();
        home.livesOn();
        home.isAsItWas();
        assertEquals(0, ConsoleLog.read(waiting.console()).lastTick());
    }
}
