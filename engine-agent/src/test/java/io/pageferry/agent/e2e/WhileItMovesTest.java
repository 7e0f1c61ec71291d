package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpClient;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * What a guest does, or somebody does to it at another monitor, while it moves: the source stands
 * still in pre-copy until it is done. A sample is drawn by the seed of the run; all of them are in
 * the full run, see CONTRIBUTING.md.
 */
@Tag("full")
@Tag("timing")
class WhileItMovesTest extends WithBareGuests {
    private static final int SAMPLE = 5;
    private static final int SLOW_BYTES = 12 << 20;
    private static final long SEED = 20261125;

    /** Something that happens, and what follows. */
    private interface Case {
        void run() throws IOException;
    }

    @TestFactory
    List<DynamicTest> whatHappensIsNoticed() {
        Map<String, Case> all = cases();
        return Draw.sample(all.keySet(), SAMPLE)
                .stream().map(name -> DynamicTest.dynamicTest(name, () -> run(all.get(name))))
                .toList();
    }

    private void run(Case one) throws IOException {
        both();
        try {
            one.run();
        } catch (IOException | RuntimeException | Error e) {
            // An agent that is killed leaves more behind: that must not hide what came first.
            agents.forEach(agent -> e.addSuppressed(new AssertionError(agent.toString())));
            endAgents();
            throw e;
        }
        noAgentStays();
    }

    private Map<String, Case> cases() {
        Map<String, Case> all = new LinkedHashMap<>();
        all.put("a shut down guest has ended", this::aShutDownGuestHasEnded);
        all.put("a panicked guest has ended", this::aPanickedGuestHasEnded);
        all.put("a guest that resets arrives", this::aGuestThatResetsArrives);
        all.put("a guest that was paused for a while arrives",
                this::aGuestThatWasPausedForAWhileArrives);
        all.put("what somebody pauses meanwhile stays paused",
                this::whatSomebodyPausesMeanwhileStaysPaused);
        all.put("what somebody lets go in the switchover is not given away",
                this::whatSomebodyLetsGoInTheSwitchoverIsNotGivenAway);
        all.put("plugged memory ends the move", this::pluggedMemoryEndsTheMove);
        all.put("a plugged device ends the move", this::aPluggedDeviceEndsTheMove);
        all.put("a block job ends the move", this::aBlockJobEndsTheMove);
        all.put("a snapshot ends the move", this::aSnapshotEndsTheMove);
        all.put("settings of others are theirs until the pause",
                this::settingsOfOthersAreTheirsUntilThePause);
        all.put("a second migration takes the guest away", this::aSecondMigrationTakesTheGuestAway);
        all.put("a migration that is active while it moves ends the move",
                this::aMigrationThatIsActiveWhileItMovesEndsTheMove);
        all.put("a migration that was active before refuses the move",
                this::aMigrationThatWasActiveBeforeRefusesTheMove);
        all.put("what was saved before is refused until it ran again",
                this::whatWasSavedBeforeIsRefusedUntilItRanAgain);
        all.put("a second pageferry is refused", this::aSecondPageferryIsRefused);
        return all;
    }

    /** The source goes on; the guest stays, with a reason that holds these words. */
    private void failed(Move move, String... words) throws IOException {
        move.source().goOn();
        stayed(move, words);
    }

    private void stayed(Move move, String... words) throws IOException {
        E2e.assertEnds(4, "failed", move.source());
        E2e.assertEnds(4, "failed", move.target());
        String reason = move.source().report().at("/error/reason").asText();
        for (String word : words) {
            assertTrue(reason.contains(word), move.source()::toString);
        }
        assertTrue(!move.source().report().at("/error/remedy").asText().isEmpty(),
                move.source()::toString);
        rig.awaitNothingLeft();
        assertEquals("running", home.condition());
        home.countsOn();
        assertTrue(Traces.of(home.process().pid()).isUntracked());
        assertEquals("inmigrate", waiting.condition());
    }

    /** The source goes on; the guest ended, and nothing runs at the target. */
    private void ended(Move move, String word) throws IOException {
        move.source().goOn();
        E2e.assertEnds(8, "guest-ended", move.source());
        E2e.assertEnds(4, "failed", move.target());
        assertTrue(move.source().report().at("/error/reason").asText().contains(word),
                move.source()::toString);
        rig.awaitNothingLeft();
        assertEquals("inmigrate", waiting.condition());
    }

    private void arrived(Move move, String condition) throws IOException {
        move.source().goOn();
        E2e.assertMoved(move.source(), move.target());
        rig.awaitNothingLeft();
        assertEquals("gone", home.condition());
        assertEquals(condition, waiting.condition());
    }

    private void aShutDownGuestHasEnded() throws IOException {
        Move move = moving("round 0");
        home.tell(BareProgram.SHUTDOWN);
        awaitNotRunning();
        ended(move, "the guest shut down");
    }

    private void aPanickedGuestHasEnded() throws IOException {
        Move move = moving("round 0");
        home.tell(BareProgram.PANIC);
        awaitNotRunning();
        ended(move, "panicked");
    }

    private void awaitNotRunning() throws IOException {
        Poll.until(() -> !home.condition().equals("running"), () -> "it runs on");
    }

    private void aGuestThatResetsArrives() throws IOException {
        try (QemuControl other = home.other()) {
            Move move = moving("round 0");
            home.tell(BareProgram.RESET);
            Poll.until(() -> heard(other, "RESET"), () -> "it does not reset");
            arrived(move, "running");
        }
        waiting.countsOn();
    }

    private void aGuestThatWasPausedForAWhileArrives() throws IOException {
        Move move = moving("round 0");
        act("stop", null);
        act("cont", null);
        arrived(move, "running");
        waiting.countsOn();
    }

    private static boolean heard(QemuControl control, String name) {
        for (QmpClient.Event event = control.qmp().pollEvent(); event != null;
                event = control.qmp().pollEvent()) {
            if (event.name().equals(name)) {
                return true;
            }
        }
        return false;
    }

    private void whatSomebodyPausesMeanwhileStaysPaused() throws IOException {
        Move move = moving("round 0");
        act("stop", null);
        arrived(move, "paused");
    }

    private void whatSomebodyLetsGoInTheSwitchoverIsNotGivenAway() throws IOException {
        // Its last pages would take minutes.
        home.fill(SLOW_BYTES, SEED);
        Move move = moving("switchover", "--cold", "--bandwidth", "1Mbit/s");
        move.source().goOn();
        awaitNotRunning();
        act("cont", null);
        stayed(move, "somebody let the guest go on");
    }

    private void pluggedMemoryEndsTheMove() throws IOException {
        Move move = moving("round 0");
        act("object-add", object().put("qom-type", "memory-backend-ram").put("id", "more")
                .put("size", 64L << 20));
        act("device_add", object().put("driver", "pc-dimm").put("id", "dimm")
                .put("memdev", "more"));
        failed(move, "memory", "64 MiB", "128 MiB");
        home.close();
    }

    private void aPluggedDeviceEndsTheMove() throws IOException {
        Move move = moving("round 0");
        act("device_add", object().put("driver", "virtio-rng-pci").put("id", "dice"));
        failed(move, "dice", "virtio-rng-pci");
        home.close();
    }

    private void aBlockJobEndsTheMove() throws IOException {
        Move move = moving("round 0");
        act("drive-backup", object().put("device", "floppy0").put("job-id", "nightly")
                .put("target", folder.resolve("backup.img").toString()).put("sync", "full")
                .put("format", "raw").put("speed", 1));
        failed(move, "block job nightly");
        act("block-job-cancel", object().put("device", "nightly").put("force", true));
    }

    private void aSnapshotEndsTheMove() throws IOException {
        Move move = moving("round 0");
        Path overlay = folder.resolve("overlay.qcow2");
        act("blockdev-snapshot-sync", object().put("device", "virtio0")
                .put("snapshot-file", overlay.toString()).put("format", "qcow2"));
        failed(move, "virtio0", overlay.toString());
        home.close();
    }

    /** With ours a snapshot or a migration of theirs would lack the RAM; with theirs our save. */
    private void settingsOfOthersAreTheirsUntilThePause() throws IOException {
        Move move = moving("round 0");
        try (QemuControl other = home.other()) {
            assertEquals(false, other.capabilities().get(QemuControl.IGNORE_SHARED));
            other.setCapabilities(Map.of("multifd", true));
        }
        try (QemuControl other = waiting.other()) {
            other.setCapabilities(Map.of("multifd", true));
        }
        arrived(move, "running");
        waiting.countsOn();
    }

    private void aSecondMigrationTakesTheGuestAway() throws IOException {
        Move move = moving("round 0");
        Path state = folder.resolve("state.bin");
        // Without the RAM that is over at once.
        act("migrate-set-capabilities", object().set("capabilities", object().arrayNode()
                .add(object().put("capability", "x-ignore-shared").put("state", true))));
        act("migrate", object().put("uri", "exec:cat > " + state));
        Poll.until(() -> home.condition().equals("postmigrate"), () -> "it is not over");
        ended(move, "another migration");
        assertTrue(Files.size(state) > 0);
        home.close();
    }

    private void aMigrationThatIsActiveWhileItMovesEndsTheMove() throws IOException {
        Move move = moving("round 0");
        migrateForever();
        failed(move, "another migration", "active");
        assertEquals("active", migration());
        act("migrate_cancel", null);
        home.close();
    }

    private void aMigrationThatWasActiveBeforeRefusesTheMove() throws IOException {
        migrateForever();
        refused("a migration of this guest is active", "migrate_cancel");
        act("migrate_cancel", null);
        Poll.until(() -> home.condition().equals("running") && migration().equals("cancelled"),
                () -> "it is not cancelled");
        home.countsOn();
        home.close();
    }

    /** Starts a migration that would take days. */
    private void migrateForever() throws IOException {
        act("migrate-set-parameters", object().put("max-bandwidth", 100)
                .put("downtime-limit", 1));
        act("migrate", object().put("uri", "exec:cat > /dev/null"));
        Poll.until(() -> migration().equals("active"), () -> "no migration is active");
    }

    private String migration() throws IOException {
        try (QemuControl other = home.other()) {
            return other.migration().status();
        }
    }

    private void whatWasSavedBeforeIsRefusedUntilItRanAgain() throws IOException {
        act("stop", null);
        act("migrate", object().put("uri", "exec:cat > /dev/null"));
        Poll.until(() -> home.condition().equals("postmigrate"), () -> "it is not saved");
        refused("the guest is postmigrate", "cont it at its monitor, and stop it again");
        Agent check = rig.start("", List.of("check", home.uri()));
        assertEquals(3, check.exit(), check::toString);
        assertTrue(check.events().stream().anyMatch(row -> row.path("what").asText().equals(
                "state") && row.path("verdict").asText().equals("refused")
                && row.path("remedy").asText().contains("cont it")), check::toString);
        act("cont", null);
        act("stop", null);
        arrived(moving("round 0"), "paused");
    }

    /** Nothing is begun, and nobody listened. */
    private void refused(String reason, String remedy) throws IOException {
        Agent source = rig.start("", List.of("migrate", home.uri(), "--to", "127.0.0.1:9"));
        E2e.assertEnds(3, "refused", source);
        assertTrue(source.report().at("/error/reason").asText().contains(reason),
                source::toString);
        assertTrue(source.report().at("/error/remedy").asText().contains(remedy),
                source::toString);
    }

    private void aSecondPageferryIsRefused() throws IOException {
        Move move = moving("round 0");
        Agent second = rig.start("", List.of("migrate", home.uri().replace(".qmp", ".other"),
                "--to", "127.0.0.1:9"));
        E2e.assertEnds(3, "refused", second);
        assertEquals("busy", second.report().at("/error/code").asText(), second::toString);
        assertTrue(second.report().at("/error/reason").asText().contains("under way"),
                second::toString);
        move.source().signal(Signal.TERM);
        move.source().goOn();
        E2e.assertEnds(7, "cancelled", move.source());
        E2e.assertEnds(4, "failed", move.target());
        rig.awaitNothingLeft();
        assertEquals("running", home.condition());
    }
}
