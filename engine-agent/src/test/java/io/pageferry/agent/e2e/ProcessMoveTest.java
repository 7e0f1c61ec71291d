package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.StrangerProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A process that knows nothing of its move, from its first page to who owns it in the end. */
class ProcessMoveTest extends WithRig {
    private OtherWriter writer;
    private Path image;

    @BeforeEach
    void begin() throws IOException {
        E2e.needTracking();
        image = folder.resolve("image");
        writer = new OtherWriter();
    }

    @AfterEach
    void end() throws IOException {
        rig.close();
        writer.close();
    }

    @Test
    void noImageIsWrittenOverTheMemoryOfARunningProcess() throws IOException {
        Path file = Files.createTempFile(Path.of("/dev/shm"), "pageferry-writer", "");
        try (OtherWriter named = OtherWriter.ofFile(file)) {
            Agent target = receive("image:" + file);
            Agent source = migrate("workload:8MiB?rate=0", target.address());
            assertEquals(3, source.exit(), source::toString);
            assertTrue(source.words().contains("is memory of process"), source.words());
            named.goesOn();
            target.signal(Signal.TERM);
            assertEquals(7, target.exit(), target::toString);
        } finally {
            Files.delete(file);
        }
        Agent nameless = rig.start("", List.of("receive", "image:" + writer.memory(),
                "--listen", "127.0.0.1:0"));
        assertEquals(3, nameless.exit(), nameless::toString);
        assertTrue(nameless.words().contains("has no name"), nameless.words());
        writer.goesOn();
    }

    @Test
    void itEndsFrozenWithoutAnotherStep() throws IOException {
        Agent target = receive("image:" + image);
        Agent source = rig.start("done", List.of("migrate", writer.uri(), "--to",
                target.address(), "--after", "quit"));
        source.awaitHold("done");
        assertEquals(1, Frozen.groups(writer.pid()).size());
        long writes = writer.writes();
        source.goOn();
        E2e.assertMoved(source, target);
        assertTrue(!Processes.isAlive(writer.pid()), "it lives on");
        assertEquals(writes, writer.writes());
        assertEquals(-1, Files.mismatch(image, writer.memory()));
        assertEquals("userfaultfd", source.report().path("tracker").asText());
        JsonNode state = new ObjectMapper().readTree(folder.resolve("image.state").toFile());
        assertEquals("pageferry.process/1", state.path("schema").asText());
        assertEquals(writer.pid(), state.path("pid").asLong());
        assertEquals(OtherWriter.SIZE, state.at("/regions/0/size").asLong());
        assertEquals(List.of(), Frozen.groups(writer.pid()));
        rig.awaitNothingLeft();
    }

    /** Nobody stored there: the pages are neither written nor holes. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatItLostAndReadSinceArrivesAsZero(boolean named) throws IOException {
        assertArrivesChanged(named, writer -> writer.loseAndRead());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsWrittenByADescriptorArrives(boolean named) throws IOException {
        assertArrivesChanged(named, writer -> writer.writePast());
    }

    private interface Change {
        void make(OtherWriter writer) throws IOException;
    }

    private void assertArrivesChanged(boolean named, Change change) throws IOException {
        Path file = named ? Files.createTempFile(Path.of("/dev/shm"), "pageferry-writer", "")
                : null;
        try (OtherWriter moved = named ? OtherWriter.ofFile(file) : new OtherWriter()) {
            Agent target = receive("image:" + image);
            Agent source = rig.start("round 0", List.of("migrate", moved.uri(), "--to",
                    target.address(), "--tracker", "userfaultfd"));
            source.awaitHold("round 0");
            change.make(moved);
            source.goOn();
            E2e.assertMoved(source, target);
            assertEquals(-1, Files.mismatch(image, moved.memory()), source::toString);
            rig.awaitNothingLeft();
        } finally {
            if (named) {
                Files.delete(file);
            }
        }
    }

    /** Between the last look while it ran and the pause. */
    @ParameterizedTest
    @CsvSource({StrangerProgram.MAP_AGAIN + ",is new",
            StrangerProgram.OPEN_DIRECT + ",with O_DIRECT"})
    void whatComesBehindTheLastLookEndsTheMove(long command, String words) throws IOException {
        Agent target = receive("image:" + image);
        Agent source = rig.start("switchover", List.of("migrate", writer.uri(), "--to",
                target.address(), "--tracker", "userfaultfd"));
        source.awaitHold("switchover");
        writer.does(command);
        writer.run();
        source.goOn();
        E2e.assertEnds(4, "failed", source);
        assertTrue(source.words().contains(words), source::toString);
        E2e.assertEnds(4, "failed", target);
        writer.goesOn();
        rig.awaitNothingLeft();
    }

    /** A lock of the guest in each state directory would let both have it. */
    @Test
    void twoStateDirectoriesDoNotMoveItTwice() throws IOException {
        Agent target = receive("image:" + image);
        Agent other = receive("image:" + folder.resolve("other"));
        Agent source = rig.start("round 0", List.of("migrate", writer.uri(), "--to",
                target.address(), "--state-dir", folder.resolve("one").toString()));
        source.awaitHold("round 0");
        Agent second = migrate(writer.uri(), other.address(), "--state-dir",
                folder.resolve("two").toString());
        E2e.assertEnds(3, "refused", second);
        assertEquals("busy", second.report().at("/error/code").asText(), second::toString);
        assertEquals(1, second.words().lines().filter(line ->
                line.contains("a migration of this guest is under way already")).count(),
                second::toString);
        source.goOn();
        E2e.assertMoved(source, target);
        other.signal(Signal.TERM);
        assertEquals(7, other.exit(), other::toString);
        assertTrue(Files.notExists(folder.resolve("other")));
        rig.awaitNothingLeft();
    }

    @Test
    void aForkInTheMiddleEndsTheMoveAndItRunsOn() throws IOException {
        Agent target = receive("image:" + image);
        // The kernel lets a fork end only once the tracker has heard of it, so the source has to go
        // on meanwhile: over a link that takes half a minute, while the fork ends it at once.
        Agent source = migrate(writer.uri(), target.address(), "--bandwidth", "1Mbit/s",
                "--codec", "none", "--max-downtime", "1ms");
        source.awaitState("precopy");
        writer.say(StrangerProgram.FORK);
        E2e.assertEnds(4, "failed", source);
        assertTrue(source.report().at("/error/reason").asText().contains("forked"),
                source::toString);
        assertTrue(source.report().at("/error/remedy").asText().contains("--tracker scan"),
                source::toString);
        E2e.assertEnds(4, "failed", target);
        Poll.until(() -> writer.state() == StrangerProgram.FORK, () -> "its fork does not end");
        writer.run();
        rig.awaitNothingLeft();
    }

    @Test
    void itsOwnEndIsNoFailureOfTheMove() throws IOException {
        Agent target = receive("image:" + image);
        Agent source = rig.start("round 0", List.of("migrate", writer.uri(), "--to",
                target.address()));
        source.awaitHold("round 0");
        writer.kill();
        source.goOn();
        E2e.assertEnds(8, "guest-ended", source);
        E2e.assertEnds(4, "failed", target);
        rig.awaitNothingLeft();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theGuardThawsWhatAKilledAgentFroze(boolean service) throws IOException {
        if (service) {
            rig.guardService();
        }
        Agent target = receive("image:" + image);
        Agent source = rig.start("paused", List.of("migrate", writer.uri(), "--to",
                target.address()));
        source.awaitHold("paused");
        assertEquals(1, Frozen.groups(writer.pid()).size());
        source.kill();
        writer.goesOn();
        E2e.assertEnds(4, "failed", target);
        rig.awaitNothingLeft();
        assertEquals(List.of(), Frozen.groups(writer.pid()));
        Agent again = receive("image:" + image);
        E2e.assertMoved(migrate(writer.uri(), again.address(), "--after", "resume"), again);
        writer.goesOn();
        assertEquals(List.of(), Frozen.groups(writer.pid()));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void inDoubtItStaysFrozenUntilAnOperatorSettles(boolean service) throws IOException {
        Agent guards = service ? rig.guardService() : null;
        Agent target = receive("image:" + image);
        Agent source = rig.start("granted", List.of("migrate", writer.uri(), "--to",
                target.address()));
        source.awaitHold("granted");
        source.kill();
        target.exit();
        String migration = target.report().path("migrationId").asText();
        Agent told = guards == null ? source : guards;
        Poll.until(() -> told.words().contains("settle " + migration), told::toString);
        rig.awaitNothingLeft();
        long writes = writer.writes();
        assertEquals(1, Frozen.groups(writer.pid()).size());
        Agent again = migrate(writer.uri(), "127.0.0.1:9");
        E2e.assertEnds(3, "refused", again);
        assertTrue(again.words().contains("in doubt"), again::toString);
        assertEquals(writes, writer.writes());
        assertEquals(1, Frozen.groups(writer.pid()).size());
        Agent settle = rig.start("", List.of("settle", migration, "--source",
                "--target-is-fenced"));
        assertEquals(4, settle.exit(), settle::toString);
        writer.goesOn();
        assertEquals(List.of(), Frozen.groups(writer.pid()));
        rig.awaitNothingLeft();
    }

    @Test
    void whatCannotBeMovedIsRefusedByBothCommands() throws IOException {
        Agent check = rig.command(List.of("check", "process:" + writer.pid() + "?map=/none"));
        assertEquals(3, check.exit(), check::toString);
        Agent gone = rig.start("", List.of("migrate", "process:4194304", "--to", "127.0.0.1:1"));
        E2e.assertEnds(3, "refused", gone);
        Agent after = rig.start("", List.of("migrate", "workload:8MiB", "--to", "127.0.0.1:1",
                "--after", "resume"));
        assertEquals(2, after.exit(), after::toString);
        assertTrue(after.words().contains("quit, keep"), after::toString);
    }
}
