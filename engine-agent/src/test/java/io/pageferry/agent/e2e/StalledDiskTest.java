package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.core.handover.JournalState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * A guest whose disk stops answering while it moves: QEMU hangs in {@code stop}. It goes on where
 * it was as soon as the disk is back, and nobody has to say so.
 */
@Sampled
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StalledDiskTest {
    private static final String LIMIT = "3s";
    /** Of the end of a move: its limit, and the second in which QEMU may answer after all. */
    private static final long END_SECONDS = 12;

    private Rig rig;
    private NbdDisk disk;
    private MovingGuest home;
    private DemoQemu waiting;
    private Agent target;

    @BeforeAll
    void boot(@TempDir Path folder) throws IOException {
        rig = new Rig(folder);
        rig.openToAll();
        DiskGuest guest = DiskGuest.make(folder, "guest-reads.sh");
        disk = NbdDisk.make(folder, Draw.random());
        home = MovingGuest.boot(rig, guest.machine(disk.arguments()));
    }

    @AfterAll
    void end() throws IOException {
        if (rig != null) {
            rig.close();
        }
        if (disk != null) {
            disk.close();
        }
    }

    @BeforeEach
    void another() throws IOException {
        home.remember();
        waiting = rig.waiting(home.machine());
        target = rig.receive(waiting, "");
    }

    /** The guest was there all the time, and no other one was. */
    @AfterEach
    void goesOn() throws IOException {
        disk.goOn();
        rig.awaitNothingLeft();
        home.livesOn();
        if (waiting != home.qemu()) {
            home.isAsItWas();
            assertEquals("inmigrate", Rig.condition(waiting));
            rig.end(waiting);
        }
    }

    private Agent stalledMove() throws IOException {
        Agent source = rig.migrate(home.qemu(), target, "round 0", "--max-switchover", LIMIT);
        source.awaitHold("round 0");
        disk.stop();
        disk.awaitReader();
        source.goOn();
        return source;
    }

    private Agent failedMove() throws IOException {
        Agent source = stalledMove();
        source.awaitState("switchover");
        long began = System.nanoTime();
        E2e.assertEnds(4, "failed", source);
        long seconds = (System.nanoTime() - began - source.withheldNanos()) / 1_000_000_000;
        assertTrue(seconds <= END_SECONDS, () -> seconds + " s: " + source);
        E2e.assertEnds(4, "failed", target);
        return source;
    }

    /** {@return what status says of the source} */
    private ObjectNode status(String migration) throws IOException {
        Agent status = rig.start("", List.of("status"));
        assertEquals(0, status.exit());
        return status.events().stream().filter(event ->
                event.path("migration").asText().equals(migration)
                        && event.path("side").asText().equals("source")).findFirst().orElseThrow();
    }

    @Test
    void aGuestWhoseDiskStopsAnsweringGoesOnWhenItIsBack() throws IOException {
        Agent source = failedMove();
        JsonNode report = source.report();
        assertEquals("source", report.at("/owner/side").asText());
        String reason = report.at("/error/reason").asText();
        assertTrue(reason.contains("the storage of disk d0 (" + disk.file() + ")"), reason);
        assertEquals(1, source.words().lines().filter(line -> line.contains(reason)).count(),
                source::toString);
        String migration = report.path("migrationId").asText();
        ObjectNode now = status(migration);
        assertEquals("source", now.path("owner").asText());
        assertTrue(now.path("pending").asText().contains("disk d0"), now::toString);
        Agent settle = rig.start("", List.of("settle", migration));
        assertEquals(3, settle.exit(), settle::toString);
        assertTrue(settle.words().contains("disk d0"), settle::toString);
        disk.goOn();
        rig.awaitNothingLeft();
        home.livesOn();
        assertTrue(status(migration).path("settled").asBoolean());
    }

    @Test
    void anAgentThatIsKilledMeanwhileChangesNothing() throws IOException {
        Agent source = stalledMove();
        source.awaitState("switchover");
        source.kill();
        E2e.assertEnds(4, "failed", target);
    }

    @Test
    void whereTheGuardDiesTooItIsSettled() throws IOException {
        Agent source = stalledMove();
        source.awaitState("switchover");
        long guard = rig.guardOf(source);
        E2e.assertEnds(4, "failed", source);
        E2e.assertEnds(4, "failed", target);
        Processes.signal(guard, Processes.startTicks(guard).orElseThrow(), Signal.KILL);
        String migration = source.report().path("migrationId").asText();
        Agent early = rig.start("", List.of("settle", migration, "--settle-window", "1s"));
        assertEquals(6, early.exit(), early::toString);
        assertTrue(early.words().contains("QEMU did not answer"), early::toString);
        disk.goOn();
        Agent again = rig.start("", List.of("migrate", Rig.uri(home.qemu()), "--to",
                "127.0.0.1:1"));
        E2e.assertEnds(3, "refused", again);
        assertTrue(again.words().contains("pageferry settle " + migration), again::toString);
        Agent settle = rig.start("", List.of("settle", migration));
        assertEquals(4, settle.exit(), settle::toString);
    }

    /** A qcow2 image is read again when it is taken over, behind the grant. */
    @Test
    void aGuestThatWasGrantedRunsAtTheTargetWhenItsDiskIsBack() throws IOException {
        target.signal(Signal.TERM);
        target.exit();
        target = rig.receive(waiting, "ready");
        Agent source = rig.migrate(home.qemu(), target, "", "--settle-window", "1s");
        target.awaitHold("ready");
        disk.stop();
        target.goOn();
        E2e.assertEnds(6, "in-doubt", source);
        E2e.assertEnds(5, "failed", target);
        String reason = target.report().at("/error/reason").asText();
        assertTrue(reason.contains("runs here as soon as it answers")
                && reason.contains("disk d0 (" + disk.file() + ")"), reason);
        String migration = source.report().path("migrationId").asText();
        disk.goOn();
        Path journal = rig.state().resolve(migration + ".target.journal");
        Poll.until(() -> FileJournal.read(journal).ownership().state() == JournalState.RUNNING,
                () -> "it does not run: " + target);
        Agent settle = rig.start("", List.of("settle", migration, "--target"));
        assertEquals(0, settle.exit(), settle::toString);
        home.livesOnAt(waiting);
    }
}
