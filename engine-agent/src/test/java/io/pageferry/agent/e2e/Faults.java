package io.pageferry.agent.e2e;

import static io.pageferry.agent.e2e.FaultRig.ends;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.ProcessMark;
import io.pageferry.agent.e2e.FaultRig.Fault;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What goes wrong with QEMU, agents and guards, by name; see the table of docs/OPERATIONS.md. */
final class Faults {
    private static final String[] SOON = {"--settle-window", "1s"};

    private Faults() {
    }

    static Map<String, Fault> all() {
        Map<String, Fault> all = new LinkedHashMap<>();
        all.put("target QEMU dies in round 2", Faults::targetQemuInRound2);
        all.put("target QEMU dies loaded", Faults::targetQemuLoaded);
        all.put("target QEMU dies granted", Faults::targetQemuGranted);
        all.put("target QEMU dies before cont", Faults::targetQemuBeforeCont);
        all.put("source QEMU dies in switchover", Faults::sourceQemuInSwitchover);
        all.put("source QEMU dies when all was sent", Faults::sourceQemuWhenReady);
        for (String state : List.of("round 0", "switchover", "paused")) {
            all.put("source agent dies in " + state, rig -> sourceBeforeGrant(rig, state));
        }
        all.put("source agent dies granted", Faults::sourceGranted);
        all.put("source agent dies before it resumes", Faults::sourceOwned);
        all.put("source agent dies before it ends the guest", Faults::sourceDone);
        all.put("target agent dies in negotiation", Faults::targetReserved);
        all.put("target agent dies receiving", Faults::targetReceiving);
        all.put("target agent dies ready", Faults::targetReady);
        all.put("target agent dies before it ends the guest", Faults::targetRefused);
        all.put("target agent dies before it says running", Faults::targetRunning);
        all.put("target agent dies while QEMU hangs", Faults::targetHung);
        all.put("source guard dies, then its agent", Faults::sourceGuardThenAgent);
        all.put("target guard dies, then its agent", Faults::targetGuardThenAgent);
        return all;
    }

    private static void targetQemuInRound2(FaultRig rig) throws IOException {
        Agent target = rig.target("");
        Agent source = rig.source(target, "round 2", "--max-downtime", "1ms");
        source.awaitHold("round 2");
        FaultRig.kill(rig.waiting());
        ends(4, "failed", target, "at the target ended");
        source.goOn();
        ends(4, "failed", source, "at the target ended");
        assertFalse(source.states().contains("switchover"), source::toString);
        rig.assertAtSource();
    }

    private static void targetQemuLoaded(FaultRig rig) throws IOException {
        Agent target = rig.target("ready");
        Agent source = rig.source(target, "");
        target.awaitHold("ready");
        FaultRig.kill(rig.waiting());
        target.goOn();
        ends(4, "failed", target, "at the target ended");
        ends(4, "failed", source, "ended");
        rig.assertAtSource();
    }

    private static void targetQemuGranted(FaultRig rig) throws IOException {
        Agent target = rig.target("");
        Agent source = rig.source(target, "granted");
        source.awaitHold("granted");
        FaultRig.kill(rig.waiting());
        target.awaitState("refused");
        source.goOn();
        ends(4, "failed", source, "the target gave the guest back");
        ends(4, "failed", target, "at the target ended");
        rig.assertAtSource();
    }

    /** Whether it ran cannot be known: an operator, who knows that it is gone, takes it back. */
    private static void targetQemuBeforeCont(FaultRig rig) throws IOException {
        Agent target = rig.target("active");
        Agent source = rig.source(target, "", SOON);
        target.awaitHold("active");
        FaultRig.kill(rig.waiting());
        target.goOn();
        ends(5, "failed", target, "whether it ran cannot be known");
        ends(6, "in-doubt", source, "ours stays paused");
        rig.assertInDoubt();
        rig.settle(4, "--source", "--target-is-fenced");
        rig.assertAtSource();
    }

    private static void sourceQemuInSwitchover(FaultRig rig) throws IOException {
        Agent target = rig.target("");
        Agent source = rig.source(target, "switchover");
        source.awaitHold("switchover");
        FaultRig.kill(rig.home().qemu());
        source.goOn();
        ends(8, "guest-ended", source, "ended");
        E2e.assertEnds(4, "failed", target);
        rig.assertWaiting();
        rig.reboot();
    }

    /** The target has all of it: nothing is lost, and the move is done. */
    private static void sourceQemuWhenReady(FaultRig rig) throws IOException {
        Agent target = rig.target("ready");
        Agent source = rig.source(target, "");
        target.awaitHold("ready");
        FaultRig.kill(rig.home().qemu());
        target.goOn();
        E2e.assertMoved(source, target);
        rig.assertAtTarget();
    }

    private static void sourceBeforeGrant(FaultRig rig, String state) throws IOException {
        Agent target = rig.target("");
        Agent source = rig.source(target, state);
        source.awaitHold(state);
        source.kill();
        E2e.assertEnds(4, "failed", target);
        rig.assertAtSource();
        rig.assertWaiting();
    }

    private static void sourceGranted(FaultRig rig) throws IOException {
        Agent target = rig.target("");
        Agent source = rig.source(target, "granted");
        source.awaitHold("granted");
        source.kill();
        E2e.assertEnds(4, "failed", target);
        rig.assertInDoubt();
        assertTrue(source.words().contains("pageferry settle "), source::toString);
        rig.settle(4, "--source", "--target-is-fenced");
        rig.assertTargetEnded();
        rig.assertAtSource();
    }

    private static void sourceOwned(FaultRig rig) throws IOException {
        Agent target = rig.target("ready");
        Agent source = rig.source(target, "owned");
        target.awaitHold("ready");
        target.kill();
        source.awaitHold("owned");
        source.kill();
        rig.assertAtSource();
        rig.assertTargetEnded();
    }

    private static void sourceDone(FaultRig rig) throws IOException {
        Agent target = rig.target("", SOON);
        Agent source = rig.source(target, "done");
        source.awaitHold("done");
        source.kill();
        E2e.assertEnds(0, "completed", target);
        rig.assertAtTarget();
    }

    private static void targetReserved(FaultRig rig) throws IOException {
        Agent target = rig.target("reserved");
        Agent source = rig.source(target, "");
        target.awaitHold("reserved");
        target.kill();
        ends(3, "refused", source, "");
        // A promise has no guard (ADR 0037): the file of its lock stays, and locks nothing.
        rig.removeFreeLock();
        rig.assertAtSource();
        rig.assertWaiting();
    }

    private static void targetReceiving(FaultRig rig) throws IOException {
        Agent target = rig.target("receiving");
        Agent source = rig.source(target, "");
        target.awaitHold("receiving");
        target.kill();
        E2e.assertEnds(4, "failed", source);
        rig.assertAtSource();
        rig.assertWaiting();
    }

    private static void targetReady(FaultRig rig) throws IOException {
        Agent target = rig.target("ready");
        Agent source = rig.source(target, "");
        target.awaitHold("ready");
        target.kill();
        E2e.assertEnds(4, "failed", source);
        rig.assertAtSource();
        rig.assertTargetEnded();
    }

    private static void targetRefused(FaultRig rig) throws IOException {
        Agent target = rig.target("refused");
        Agent source = rig.source(target, "granted");
        source.awaitHold("granted");
        source.kill();
        target.awaitHold("refused");
        target.kill();
        rig.assertTargetEnded();
        rig.assertInDoubt();
        rig.settleByAsking(4, target);
        rig.assertAtSource();
    }

    private static void targetRunning(FaultRig rig) throws IOException {
        Agent target = rig.target("running");
        Agent source = rig.source(target, "", SOON);
        target.awaitHold("running");
        target.kill();
        ends(6, "in-doubt", source, "ours stays paused");
        rig.assertInDoubt();
        rig.settleByAsking(0, target);
        rig.assertAtTarget();
    }

    /** Between J(PREPARED) and the load: a QEMU that does not answer must not run later either. */
    private static void targetHung(FaultRig rig) throws IOException {
        Agent target = rig.target("");
        Agent source = rig.source(target, "paused");
        source.awaitHold("paused");
        Processes.signal(rig.waiting().process().pid(),
                rig.waiting().process().startTicks(), Signal.STOP);
        source.goOn();
        Poll.until(() -> isPrepared(rig.base().state()), () -> "not prepared: " + target);
        target.kill();
        E2e.assertEnds(4, "failed", source);
        rig.assertTargetEnded();
        rig.assertAtSource();
    }

    private static boolean isPrepared(Path state) throws IOException {
        try (DirectoryStream<Path> journals =
                Files.newDirectoryStream(state, "*.target.journal")) {
            for (Path journal : journals) {
                String last = Files.readAllLines(journal).getLast();
                if (last.contains("PREPARED")) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Nobody is left to resume it but whoever reads the journal next. */
    private static void sourceGuardThenAgent(FaultRig rig) throws IOException {
        Agent target = rig.target("");
        Agent source = rig.source(target, "paused");
        source.awaitHold("paused");
        ProcessMark.of(rig.base().guardOf(source)).kill();
        source.kill();
        E2e.assertEnds(4, "failed", target);
        assertEquals("saved", Rig.condition(rig.home().qemu()));
        assertEquals("source", rig.entry("source").path("owner").asText());
        assertFalse(rig.entry("source").path("settled").asBoolean());
        rig.settle(4);
        rig.assertAtSource();
        rig.assertWaiting();
    }

    /** The agent starts another guard, which ends what the agent had loaded. */
    private static void targetGuardThenAgent(FaultRig rig) throws IOException {
        Agent target = rig.target("ready");
        Agent source = rig.source(target, "round 0");
        source.awaitHold("round 0");
        ProcessMark.of(rig.base().guardOf(target)).kill();
        target.await("new guard", event ->
                event.path("message").asText().contains("another one is started"));
        source.goOn();
        target.awaitHold("ready");
        assertTrue(rig.base().guardOf(target) > 0);
        target.kill();
        E2e.assertEnds(4, "failed", source);
        rig.assertTargetEnded();
        rig.assertAtSource();
    }
}
