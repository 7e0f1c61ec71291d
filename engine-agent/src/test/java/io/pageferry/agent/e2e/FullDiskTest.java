package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.journal.JournalHeader;
import io.pageferry.core.migration.JournalRecord;
import io.pageferry.core.migration.JournalState;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The disk of a state directory is full: a file system of one page, mounted for each test. What
 * does not fit is decided by how long the guest's URI is written, because the journal repeats it.
 */
@Timeout(120)
class FullDiskTest {
    private static final long MEMORY = 32L << 20;
    private static final int PAGE = 4096;

    /** A tab, eight digits of checksum and the line end, as FileJournal writes them. */
    private static final int LINE_EXTRA = 10;

    @TempDir
    Path folder;

    private Rig rig;
    private Path disk;
    private boolean mounted;

    @BeforeEach
    void mount() throws IOException {
        rig = new Rig(folder);
        disk = Files.createDirectories(folder.resolve("disk"));
        String refused = run("mount", "-t", "tmpfs", "-o", "size=4k", "pageferry-test",
                disk.toString());
        Assumptions.assumeTrue(refused.isEmpty(), "no file system can be mounted: " + refused);
        mounted = true;
    }

    @AfterEach
    void unmount() throws IOException {
        try {
            rig.close();
        } finally {
            if (mounted) {
                assertEquals("", run("umount", disk.toString()));
            }
        }
    }

    @Test
    void whereNoJournalCanBeBegunNothingIsBegun() throws IOException {
        Files.write(disk.resolve("filler"), new byte[PAGE]);
        Agent target = receive(folder.resolve("state"), "workload:32MiB");
        Agent source = migrate(target, disk, "workload:32MiB?rate=4MiB/s");
        E2e.assertEnds(3, "refused", source);
        assertSaid(source);
        assertTrue(source.report().at("/error/remedy").asText().contains("--state-dir"),
                source::toString);
    }

    @Test
    void aTargetWithoutRoomForAJournalRefuses() throws IOException {
        Files.write(disk.resolve("filler"), new byte[PAGE]);
        Agent target = receive(disk, "workload:32MiB");
        Agent source = migrate(target, folder.resolve("state"), "workload:32MiB?rate=4MiB/s");
        E2e.assertEnds(3, "refused", source);
        assertSaid(source);
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
        int switchover = line(new JournalRecord(JournalState.SWITCHOVER, 1, true, "non-diffusion"));
        Agent source = runsOn(target, padded(Side.SOURCE, target.address(),
                PAGE - switchover - 1));
        assertTrue(source.events().stream().anyMatch(event ->
                event.path("state").asText().equals("switchover")), source::toString);
    }

    /** J(PREPARED) does not fit at the target: it does not load the guest. */
    @Test
    void aTargetWhoseDiskIsFullGivesTheGuestBack() throws IOException {
        Agent target = receive(disk, padded(Side.TARGET, "", PAGE - 1));
        Agent source = migrate(target, folder.resolve("state"), "workload:32MiB?rate=4MiB/s");
        try (GuestWindow guest = GuestWindow.of(source, MEMORY)) {
            source.awaitState("ended");
            guest.ticksOn();
            E2e.assertEnds(4, "failed", source);
        }
        E2e.assertEnds(4, "failed", target);
        assertSaid(target);
    }

    private Agent runsOn(Agent target, String guest) throws IOException {
        Agent source = migrate(target, disk, guest);
        try (GuestWindow window = GuestWindow.of(source, MEMORY)) {
            source.awaitState("ended");
            window.ticksOn();
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
        return start(state, List.of("receive", guest, "--listen", "127.0.0.1:0", "--once"));
    }

    private Agent migrate(Agent target, Path state, String guest) throws IOException {
        return start(state, List.of("migrate", guest, "--to", target.address(),
                "--linger", "500ms"));
    }

    private Agent start(Path state, List<String> words) throws IOException {
        List<String> arguments = new ArrayList<>(words);
        arguments.addAll(List.of("--state-dir", state.toString()));
        return rig.start("", arguments);
    }

    /** A guest whose journal begins with a header of this many bytes. */
    private static String padded(Side side, String peer, int length) throws IOException {
        int bare = line(new JournalHeader(JournalHeader.SCHEMA, new UUID(0, 0), side, guest(0),
                peer, System.currentTimeMillis(), Map.of()));
        return guest(length - bare);
    }

    private static String guest(int zeros) {
        return "workload:32." + "0".repeat(zeros) + "MiB?rate=4MiB/s";
    }

    private static int line(Object entry) throws IOException {
        return new ObjectMapper().writeValueAsString(entry)
                .getBytes(StandardCharsets.UTF_8).length + LINE_EXTRA;
    }

    /** Returns its complaint, or nothing. */
    private static String run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String words = new String(process.getInputStream().readAllBytes(),
                StandardCharsets.UTF_8);
        try {
            return process.waitFor() == 0 ? "" : words.isBlank() ? "it failed" : words.strip();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", interrupted);
        }
    }
}
