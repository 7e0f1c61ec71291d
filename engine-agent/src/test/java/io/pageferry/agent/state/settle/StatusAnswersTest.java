package io.pageferry.agent.state.settle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a later receiver answers while somebody else has the journal. */
class StatusAnswersTest {
    private static final UUID MIGRATION = new UUID(1, 2);
    private static final Message.Status ASKED = new Message.Status(MIGRATION, 1);

    @TempDir
    Path folder;

    private StateDirectory directory;
    private StatusAnswers answers;

    @BeforeEach
    void open() throws IOException {
        directory = StateDirectory.open(folder);
        answers = new StatusAnswers(directory, line -> { }, any -> false);
    }

    private FileJournal journal(JournalState... states) throws IOException {
        FileJournal journal = directory.create(new JournalHeader(JournalHeader.SCHEMA, MIGRATION,
                Side.TARGET, "workload:1MiB", "", 0, Map.of()));
        for (JournalState state : states) {
            journal.write(new JournalRecord(state, 1, true, "no grant in time"));
        }
        return journal;
    }

    /** The loaded guest may still be there: it is ended between the two records. */
    @Test
    void aNoIsSaidOnceTheGuestWasEnded() throws IOException {
        try (FileJournal held = journal(JournalState.PREPARED, JournalState.REFUSED)) {
            assertInstanceOf(Message.StatusUnknown.class, answers.answer(ASKED));
            held.write(new JournalRecord(JournalState.SETTLED, 1, true, ""));
            assertEquals(new Message.Refused(1, "no grant in time"), answers.answer(ASKED));
        }
    }

    /** Whoever had it is dead, and so is a guest that lived in it. */
    @Test
    void whatWasLeftIsFinishedFirst() throws IOException {
        journal(JournalState.PREPARED, JournalState.REFUSED).close();
        assertEquals(new Message.Refused(1, "no grant in time"), answers.answer(ASKED));
    }

    @Test
    void thatItRunsIsSaidAtOnce() throws IOException {
        try (FileJournal held = journal(JournalState.PREPARED, JournalState.ACTIVE,
                JournalState.RUNNING)) {
            assertEquals(3, held.records().size());
            assertEquals(new Message.Running(1, 0), answers.answer(ASKED));
        }
    }
}
