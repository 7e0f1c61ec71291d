package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.machine.boot.MoveMark;
import io.pageferry.agent.host.machine.tree.SystemTree;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A machine was reset while its root was frozen, and its journal with it: a boot goes on only where
 * the machine is its own. The system is a tree of files.
 */
@Sampled
class BootCheckTest extends WithRig {
    private static final UUID MIGRATION = new UUID(7, 8);
    private static final String HARDWARE = "4c4c4544-0042-3510-8052-b2c04f4d3332";

    private Path root() throws IOException {
        Path root = folder.resolve("root");
        hardware(root, HARDWARE);
        return root;
    }

    private static void hardware(Path root, String uuid) throws IOException {
        Path file = root.resolve("sys/class/dmi/id/product_uuid");
        Files.createDirectories(file.getParent());
        Files.writeString(file, uuid + "\n");
    }

    /** A target whose journal ends with a record, and that answers for it. */
    private Agent target(JournalState state, long epoch) throws IOException {
        Path states = folder.resolve("states");
        try (FileJournal journal = StateDirectory.open(states).create(new JournalHeader(
                JournalHeader.SCHEMA, MIGRATION, Side.TARGET, "workload:8MiB", "", 0, Map.of()))) {
            if (state != null) {
                journal.write(new JournalRecord(state, epoch, true, "of a test"));
                journal.write(new JournalRecord(JournalState.SETTLED, epoch, true, ""));
            }
        }
        Agent agent = rig.command(List.of("receive", "workload:8MiB", "--listen", "127.0.0.1:0",
                "--state-dir", states.toString()));
        agent.await("listening", event -> event.path("event").asText().equals("listening"));
        return agent;
    }

    private Agent check(Path root, String... more) throws IOException {
        List<String> words = new ArrayList<>(List.of("boot-check", "--root", root.toString()));
        words.addAll(List.of(more));
        return rig.command(words);
    }

    /** The epoch is lost with the journal: it is found. */
    @ParameterizedTest
    @CsvSource({"RUNNING, 3, 5, target", "REFUSED, 2, 0, source", "RETURNED, 1, 0, source",
        ", 0, 6, unknown"})
    void theTargetIsAsked(JournalState state, long epoch, int exit, String owner)
            throws IOException {
        Path root = root();
        MoveMark mark = new MoveMark(new SystemTree(root));
        mark.write(MIGRATION, target(state, epoch).address());

        Agent asked = check(root, "--settle-window", "1s");

        assertEquals(exit, asked.exit(), asked::toString);
        assertEquals(owner, asked.await("its word", event -> event.path("event").asText()
                .equals("boot-check")).path("owner").asText());
        assertEquals(exit != 0, mark.read().isPresent());
    }

    @Test
    void aSilentTargetKeepsItDownUntilAnOperatorSaysOtherwise() throws IOException {
        Path root = root();
        MoveMark mark = new MoveMark(new SystemTree(root));
        mark.write(MIGRATION, "127.0.0.1:1");

        Agent asked = check(root, "--settle-window", "1s");
        assertEquals(6, asked.exit(), asked::toString);
        assertTrue(asked.words().contains("--source --target-is-fenced"), asked::toString);
        assertTrue(mark.read().isPresent());

        assertEquals(0, check(root, "--source", "--target-is-fenced").exit());
        assertFalse(mark.read().isPresent());
    }

    /** The target has the mark too, on its copy of the disk. */
    @Test
    void theMachineThatArrivedGoesOn() throws IOException {
        Path root = root();
        MoveMark mark = new MoveMark(new SystemTree(root));
        mark.write(MIGRATION, "127.0.0.1:1");
        hardware(root, "11111111-2222-3333-4444-555555555555");

        Agent asked = check(root);

        assertEquals(0, asked.exit(), asked::toString);
        assertFalse(mark.read().isPresent());
    }
}
