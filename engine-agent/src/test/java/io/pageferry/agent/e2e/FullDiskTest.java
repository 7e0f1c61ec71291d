package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The disk of a state directory is full, for embedded guests; QEMU's is in {@link FaultsTest}.
 */
@Sampled
class FullDiskTest {
    private static final long MEMORY = 32L << 20;
    private static final int PAGE = FullDisk.PAGE;

    @TempDir
    Path folder;

    private Rig rig;
    private Path disk;
    private FullDisk full;

    @BeforeEach
    void mount() throws IOException {
        rig = new Rig(folder);
        full = FullDisk.mount(folder.resolve("disk"));
        disk = full.folder();
    }

    @AfterEach
    void unmount() throws IOException {
        try {
            rig.close();
        } finally {
            if (full != null) {
                full.close();
            }
        }
    }

    @Test
    void whereNoJournalCanBeBegunNothingIsBegun() throws IOException {
        full.fill();
        Agent target = receive(folder.resolve("state"), "workload:32MiB");
        Agent source = migrate(target, disk, "workload:32MiB?rate=4MiB/s");
        E2e.assertEnds(3, "refused", source);
        assertSaid(source);
        assertTrue(source.report().at("/error/remedy").asText().contains("--state-dir"),
                source::toString);
    }

    @Test
    void checkSaysThatThereIsNoRoom() throws IOException {
        Agent check = rig.start("", List.of("check", "workload:1MiB", "--state-dir",
                disk.toString()));
        assertEquals(3, check.exit(), check::toString);
        assertTrue(check.events().stream().anyMatch(row -> row.path("what").asText().equals(
                "state-dir") && row.path("verdict").asText().equals("refused")
                && row.path("found").asText().equals(disk + ", 4 KiB free")
                && row.path("remedy").asText().contains("--state-dir")), check::toString);
    }

    @Test
    void aTargetWithoutRoomForAJournalTakesNoPage() throws IOException {
        full.fill();
        Agent target = receive(disk, "workload:32MiB");
        Agent source = migrate(target, folder.resolve("state"), "workload:32MiB?rate=4MiB/s");
        E2e.assertEnds(4, "failed", source);
        assertSaid(source);
        E2e.assertEnds(4, "failed", target);
    }

    /** The header fits, J(SWITCHOVER) does not: nothing is paused. */
    @Test
    void aDiskThatIsFullBeforeTheSwitchoverLeavesTheGuestRunning() throws IOException {
        Agent target = receive(folder.resolve("state"), "workload:32MiB");
        runsOn(target, padded(Side.SOURCE, target.address(), PAGE - 1));
    }

    /** J(SWITCHOVER) fits, J(GRANTED) does not: the guest was paused and goes on. */
    @Test
    void aDiskThatIsFullBeforeTheGrantLeavesTheGuestRunning() throws IOException {
        Agent target = receive(folder.resolve("state"), "workload:32MiB");
        int switchover = FullDisk.line(
                new JournalRecord(JournalState.SWITCHOVER, 1, true, "non-diffusion"));
        Agent source = runsOn(target, padded(Side.SOURCE, target.address(),
                PAGE - switchover - 1));
        assertTrue(source.events().stream().anyMatch(event ->
                event.path("state").asText().equals("switchover")), source::toString);
    }

    /** J(PREPARED) does not fit at the target: it does not load the guest. */
    @Test
    void aTargetWhoseDiskIsFullGivesTheGuestBack() throws IOException {
        Agent target = receive(disk, padded(Side.TARGET, "", PAGE - 1));
        Agent source = migrate(target, folder.resolve("state"), "workload:32MiB?rate=4MiB/s",
                "ended");
        try (GuestWindow guest = GuestWindow.of(source, MEMORY)) {
            source.awaitHold("ended");
            guest.ticksOn();
            source.goOn();
            E2e.assertEnds(4, "failed", source);
        }
        E2e.assertEnds(4, "failed", target);
        assertSaid(target);
    }

    /** A part of a record, which the disk had room for, would end the journal for its reader. */
    @Test
    void whatDidNotFitHidesNothingThatIsWrittenLater() throws IOException {
        JournalHeader header = new JournalHeader(JournalHeader.SCHEMA, new UUID(1, 2), Side.TARGET,
                padded(Side.TARGET, "", PAGE - 9), "", System.currentTimeMillis(), Map.of());
        try (FileJournal journal = StateDirectory.open(disk).create(header)) {
            JournalRecord prepared = new JournalRecord(JournalState.PREPARED, 1, true, "");
            assertThrows(IOException.class, () -> journal.write(prepared));
            full.grow();
            JournalRecord refused = new JournalRecord(JournalState.REFUSED, 1, true, "full");
            journal.write(refused);
            assertEquals(List.of(refused), FileJournal.read(journal.path()).records());
        }
    }

    private Agent runsOn(Agent target, String guest) throws IOException {
        Agent source = migrate(target, disk, guest, "ended");
        try (GuestWindow window = GuestWindow.of(source, MEMORY)) {
            source.awaitHold("ended");
            window.ticksOn();
            source.goOn();
            E2e.assertEnds(4, "failed", source);
        }
        E2e.assertEnds(4, "failed", target);
        assertSaid(source);
        assertEquals("source", source.report().at("/owner/side").asText(), source::toString);
        assertEquals(0, source.report().at("/guestCheck/failures").asLong(-1), source::toString);
        return source;
    }

    /** It names what is full, in one line and without a stack trace. */
    private static void assertSaid(Agent agent) throws IOException {
        assertTrue(agent.report().at("/error/reason").asText().contains("No space left"),
                agent::toString);
        assertTrue(agent.words().lines().noneMatch(line -> line.startsWith("\tat ")),
                agent::toString);
    }

    private Agent receive(Path state, String guest) throws IOException {
        return start(state, "", List.of("receive", guest, "--listen", "127.0.0.1:0", "--once"));
    }

    private Agent migrate(Agent target, Path state, String guest) throws IOException {
        return migrate(target, state, guest, "");
    }

    private Agent migrate(Agent target, Path state, String guest, String hold)
            throws IOException {
        return start(state, hold, List.of("migrate", guest, "--to", target.address(),
                "--linger", "0s"));
    }

    private Agent start(Path state, String hold, List<String> words) throws IOException {
        List<String> arguments = new ArrayList<>(words);
        arguments.addAll(List.of("--state-dir", state.toString()));
        return rig.start(hold, arguments);
    }

    /** A guest whose journal begins with a header of this many bytes. */
    private static String padded(Side side, String peer, int length) throws IOException {
        int bare = FullDisk.line(new JournalHeader(JournalHeader.SCHEMA, new UUID(0, 0), side,
                guest(0), peer, System.currentTimeMillis(), Map.of()));
        return guest(length - bare);
    }

    private static String guest(int zeros) {
        return "workload:32." + "0".repeat(zeros) + "MiB?rate=4MiB/s";
    }
}
