package io.pageferry.agent.e2e;

import static io.pageferry.agent.e2e.Scene.ends;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.ProcessMark;
import io.pageferry.agent.e2e.Scene.Story;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The bad days of QEMU, agents and guards, by name; see the table of docs/OPERATIONS.md. */
final class BadDays {
    private static final String[] SOON = {"--settle-window", "1s"};

    private BadDays() {
    }

    static Map<String, Story> all() {
        Map<String, Story> all = new LinkedHashMap<>();
        all.put("target QEMU dies in round 2", BadDays::targetQemuInRound2);
        all.put("target QEMU dies loaded", BadDays::targetQemuLoaded);
        all.put("target QEMU dies granted", BadDays::targetQemuGranted);
        all.put("target QEMU dies before cont", BadDays::targetQemuBeforeCont);
        all.put("source QEMU dies in switchover", BadDays::sourceQemuInSwitchover);
        all.put("source QEMU dies when all was sent", BadDays::sourceQemuWhenReady);
        for (String state : List.of("precopy", "switchover", "paused")) {
            all.put("source agent dies in " + state, scene -> sourceBeforeGrant(scene, state));
        }
        all.put("source agent dies granted", BadDays::sourceGranted);
        all.put("source agent dies before it resumes", BadDays::sourceOwned);
        all.put("source agent dies before it ends the guest", BadDays::sourceDone);
        all.put("target agent dies in negotiation", BadDays::targetReserved);
        all.put("target agent dies receiving", BadDays::targetReceiving);
        all.put("target agent dies ready", BadDays::targetReady);
        all.put("target agent dies before it ends the guest", BadDays::targetRefused);
        all.put("target agent dies before it says running", BadDays::targetRunning);
        all.put("target agent dies while QEMU hangs", BadDays::targetHung);
        all.put("source guard dies, then its agent", BadDays::sourceGuardThenAgent);
        all.put("target guard dies, then its agent", BadDays::targetGuardThenAgent);
        return all;
    }

    private static void targetQemuInRound2(Scene scene) throws IOException {
        Agent target = scene.target("");
        Agent source = scene.source(target, "round 2", "--max-downtime", "1ms");
        source.await("round 2", event -> event.path("event").asText().equals("round")
                && event.path("round").asInt() == 2);
        Scene.kill(scene.waiting());
        ends(4, "failed", target, "at the target ended");
        scene.goOnFrom("round 2");
        ends(4, "failed", source, "at the target ended");
        assertFalse(source.states().contains("switchover"), source::toString);
        scene.here();
    }

    private static void targetQemuLoaded(Scene scene) throws IOException {
        Agent target = scene.target("ready");
        Agent source = scene.source(target, "");
        target.awaitHold("ready");
        Scene.kill(scene.waiting());
        scene.goOnFrom("ready");
        ends(4, "failed", target, "at the target ended");
        ends(4, "failed", source, "ended");
        scene.here();
    }

    private static void targetQemuGranted(Scene scene) throws IOException {
        Agent target = scene.target("");
        Agent source = scene.source(target, "granted");
        source.awaitHold("granted");
        Scene.kill(scene.waiting());
        target.awaitState("refused");
        scene.goOnFrom("granted");
        ends(4, "failed", source, "the target gave the guest back");
        ends(4, "failed", target, "at the target ended");
        scene.here();
    }

    /** Whether it ran cannot be known: an operator, who knows that it is gone, takes it back. */
    private static void targetQemuBeforeCont(Scene scene) throws IOException {
        Agent target = scene.target("active");
        Agent source = scene.source(target, "", SOON);
        target.awaitHold("active");
        Scene.kill(scene.waiting());
        scene.goOnFrom("active");
        ends(5, "failed", target, "whether it ran cannot be known");
        ends(6, "in-doubt", source, "ours stays paused");
        scene.inDoubt();
        scene.settle(4, "--source", "--target-is-fenced");
        scene.here();
    }

    private static void sourceQemuInSwitchover(Scene scene) throws IOException {
        Agent target = scene.target("");
        Agent source = scene.source(target, "switchover");
        source.awaitHold("switchover");
        Scene.kill(scene.home().qemu());
        scene.goOnFrom("switchover");
        ends(8, "guest-ended", source, "ended");
        E2e.assertEnds(4, "failed", target);
        scene.waits();
        scene.reboot();
    }

    /** The target has all of it: nothing is lost, and the move is done. */
    private static void sourceQemuWhenReady(Scene scene) throws IOException {
        Agent target = scene.target("ready");
        Agent source = scene.source(target, "");
        target.awaitHold("ready");
        Scene.kill(scene.home().qemu());
        scene.goOnFrom("ready");
        E2e.assertMoved(source, target);
        scene.there();
    }

    private static void sourceBeforeGrant(Scene scene, String state) throws IOException {
        Agent target = scene.target("");
        Agent source = scene.source(target, state);
        source.awaitHold(state);
        source.kill();
        E2e.assertEnds(4, "failed", target);
        scene.here();
        scene.waits();
    }

    private static void sourceGranted(Scene scene) throws IOException {
        Agent target = scene.target("");
        Agent source = scene.source(target, "granted");
        source.awaitHold("granted");
        source.kill();
        E2e.assertEnds(4, "failed", target);
        scene.inDoubt();
        assertTrue(source.words().contains("pageferry settle "), source::toString);
        scene.settle(4, "--source", "--target-is-fenced");
        scene.ended();
        scene.here();
    }

    private static void sourceOwned(Scene scene) throws IOException {
        Agent target = scene.target("ready");
        Agent source = scene.source(target, "owned");
        target.awaitHold("ready");
        target.kill();
        source.awaitHold("owned");
        source.kill();
        scene.here();
        scene.ended();
    }

    private static void sourceDone(Scene scene) throws IOException {
        Agent target = scene.target("", SOON);
        Agent source = scene.source(target, "done");
        source.awaitHold("done");
        source.kill();
        E2e.assertEnds(0, "completed", target);
        scene.there();
    }

    private static void targetReserved(Scene scene) throws IOException {
        Agent target = scene.target("reserved");
        Agent source = scene.source(target, "");
        target.awaitHold("reserved");
        target.kill();
        ends(3, "refused", source, "");
        scene.here();
        scene.waits();
    }

    private static void targetReceiving(Scene scene) throws IOException {
        Agent target = scene.target("receiving");
        Agent source = scene.source(target, "");
        target.awaitHold("receiving");
        target.kill();
        E2e.assertEnds(4, "failed", source);
        scene.here();
        scene.waits();
    }

    private static void targetReady(Scene scene) throws IOException {
        Agent target = scene.target("ready");
        Agent source = scene.source(target, "");
        target.awaitHold("ready");
        target.kill();
        E2e.assertEnds(4, "failed", source);
        scene.here();
        scene.ended();
    }

    private static void targetRefused(Scene scene) throws IOException {
        Agent target = scene.target("refused");
        Agent source = scene.source(target, "granted");
        source.awaitHold("granted");
        source.kill();
        target.awaitHold("refused");
        target.kill();
        scene.ended();
        scene.inDoubt();
        scene.settleByAsking(4, target);
        scene.here();
    }

    private static void targetRunning(Scene scene) throws IOException {
        Agent target = scene.target("running");
        Agent source = scene.source(target, "", SOON);
        target.awaitHold("running");
        target.kill();
        ends(6, "in-doubt", source, "ours stays paused");
        scene.inDoubt();
        scene.settleByAsking(0, target);
        scene.there();
    }

    /** Between J(PREPARED) and the load: a QEMU that does not answer must not run later either. */
    private static void targetHung(Scene scene) throws IOException {
        Agent target = scene.target("");
        Agent source = scene.source(target, "paused");
        source.awaitHold("paused");
        Processes.signal(scene.waiting().process().pid(),
                scene.waiting().process().startTicks(), Signal.STOP);
        scene.goOnFrom("paused");
        Poll.until(() -> isPrepared(scene.rig().state()), () -> "not prepared: " + target);
        target.kill();
        E2e.assertEnds(4, "failed", source);
        scene.ended();
        scene.here();
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
    private static void sourceGuardThenAgent(Scene scene) throws IOException {
        Agent target = scene.target("");
        Agent source = scene.source(target, "paused");
        source.awaitHold("paused");
        ProcessMark.of(scene.rig().guardOf(source)).kill();
        source.kill();
        E2e.assertEnds(4, "failed", target);
        assertEquals("postmigrate", Rig.condition(scene.home().qemu()));
        assertEquals("source", scene.entry("source").path("owner").asText());
        assertFalse(scene.entry("source").path("settled").asBoolean());
        scene.settle(4);
        scene.here();
        scene.waits();
    }

    /** The agent starts another guard, which ends what the agent had loaded. */
    private static void targetGuardThenAgent(Scene scene) throws IOException {
        Agent target = scene.target("ready");
        Agent source = scene.source(target, "round 0");
        source.await("round 0", event -> event.path("event").asText().equals("round"));
        ProcessMark.of(scene.rig().guardOf(target)).kill();
        target.await("new guard", event ->
                event.path("message").asText().contains("another one is started"));
        scene.goOnFrom("round 0");
        target.awaitHold("ready");
        assertTrue(scene.rig().guardOf(target) > 0);
        target.kill();
        E2e.assertEnds(4, "failed", source);
        scene.ended();
        scene.here();
    }
}
