package io.pageferry.agent.state.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A migration that nobody settled, and what later ones of the same guest leave to it. */
class JournaledMigrationTest {
    private static final UUID OURS = new UUID(1, 1);
    private static final UUID OTHER = new UUID(2, 2);
    private static final long CREATED = 1000;

    @TempDir
    Path folder;

    private StateDirectory directory;

    @BeforeEach
    void open() throws IOException {
        directory = StateDirectory.open(folder);
        journal(OURS, Side.SOURCE, CREATED, "guest", JournalState.SWITCHOVER,
                JournalState.GRANTED);
    }

    private void journal(UUID id, Side side, long created, String identity,
            JournalState... states) throws IOException {
        try (FileJournal journal = directory.create(new JournalHeader(JournalHeader.SCHEMA, id,
                side, "image:/image", "", created, Map.of("image", "/image",
                JournalHeader.IDENTITY, folder + identity)))) {
            for (JournalState state : states) {
                journal.write(new JournalRecord(state, 1, true, ""));
            }
        }
    }

    private boolean decides() throws IOException {
        try (JournaledMigration ours = new JournaledMigration(directory, OURS, Side.SOURCE, null,
                any -> false)) {
            assertTrue(ours.lockJournal().isPresent());
            assertTrue(ours.lockGuest());
            return ours.guest().isPresent();
        }
    }

    @Test
    void anEarlierOneAndOneOfAnotherGuestAreIgnored() throws IOException {
        journal(OTHER, Side.TARGET, CREATED - 1, "guest", JournalState.ACTIVE);
        journal(new UUID(3, 3), Side.SOURCE, CREATED + 1, "other", JournalState.GRANTED);
        assertTrue(decides());
    }

    /** The guest was paused, and stays ours to resume. */
    @Test
    void aLaterOneThatCameToNothingIsIgnored() throws IOException {
        journal(OTHER, Side.SOURCE, CREATED + 1, "guest", JournalState.SWITCHOVER,
                JournalState.OWNED, JournalState.SETTLED);
        journal(new UUID(3, 3), Side.SOURCE, CREATED + 2, "guest", JournalState.SETTLED);
        journal(new UUID(4, 4), Side.TARGET, CREATED + 3, "guest", JournalState.PREPARED,
                JournalState.REFUSED, JournalState.SETTLED);
        assertTrue(decides());
    }

    /** It runs elsewhere: resumed here there would be two. */
    @Test
    void aLaterOneThatGaveTheGuestAwayDecides() throws IOException {
        journal(OTHER, Side.SOURCE, CREATED + 1, "guest", JournalState.SWITCHOVER,
                JournalState.GRANTED, JournalState.DONE, JournalState.SETTLED);
        assertEquals(false, decides());
    }

    @Test
    void aLaterOneThatTookAnotherGuestInDecides() throws IOException {
        journal(OTHER, Side.TARGET, CREATED + 1, "guest", JournalState.PREPARED,
                JournalState.ACTIVE, JournalState.RUNNING);
        assertEquals(false, decides());
    }

    @Test
    void aLaterOneIsSettledFirst() throws IOException {
        journal(OTHER, Side.SOURCE, CREATED + 1, "guest", JournalState.SWITCHOVER);
        GuestException e = assertThrows(GuestException.class, this::decides);
        assertTrue(e.getMessage().contains(OTHER.toString()), e.getMessage());
        assertTrue(e.remedy().contains("pageferry settle " + OTHER), e.remedy());
    }
}
