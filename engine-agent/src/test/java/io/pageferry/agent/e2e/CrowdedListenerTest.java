package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.agent.state.settle.StatusAnswers;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A durable no whose last record does not fit on the disk is a no all the same. */
@Sampled
class CrowdedListenerTest {
    private static final UUID MIGRATION = new UUID(5, 6);

    @TempDir
    private Path folder;

    @Test
    void aNoThatCannotBeSettledIsStillSaid() throws IOException {
        try (FullDisk disk = FullDisk.mount(folder.resolve("state"))) {
            StateDirectory directory = StateDirectory.open(disk.folder());
            JournalHeader header = new JournalHeader(JournalHeader.SCHEMA, MIGRATION, Side.TARGET,
                    "workload:1MiB", "", 0, Map.of());
            JournalRecord prepared = new JournalRecord(JournalState.PREPARED, 1, true, "");
            JournalRecord bare = new JournalRecord(JournalState.REFUSED, 1, true, "");
            int room = FullDisk.PAGE - FullDisk.line(header) - FullDisk.line(prepared)
                    - FullDisk.line(bare);
            String note = "n".repeat(room);
            try (FileJournal journal = directory.create(header)) {
                journal.write(prepared);
                journal.write(new JournalRecord(JournalState.REFUSED, 1, true, note));
            }
            List<String> words = new ArrayList<>();
            try (StatusAnswers answers = new StatusAnswers(directory, words::add, any -> false)) {
                assertEquals(new Message.Refused(1, note),
                        answers.answer(new Message.Status(MIGRATION, 1)).join());
            }
            assertTrue(words.toString().contains("could not be written"), words.toString());
            assertFalse(directory.find(MIGRATION, Side.TARGET).orElseThrow().ownership().settled());
        }
    }
}
