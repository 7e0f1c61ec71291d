package io.pageferry.agent.state.settle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.process.ProcessInstance;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
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
        return journal("workload:1MiB", Map.of(), states);
    }

    private FileJournal journal(String guest, Map<String, String> address,
            JournalState... states) throws IOException {
        FileJournal journal = directory.create(new JournalHeader(JournalHeader.SCHEMA, MIGRATION,
                Side.TARGET, guest, "", 0, address));
        for (JournalState state : states) {
            journal.write(new JournalRecord(state, 1, true, "no grant in time"));
        }
        return journal;
    }

    /** The loaded guest may still be there: it is ended between the two records. */
    @Test
    void aNoIsSaidOnceTheGuestWasEnded() throws Exception {
        try (FileJournal held = journal(JournalState.PREPARED, JournalState.REFUSED)) {
            assertInstanceOf(Message.StatusUnknown.class, answers.answer(ASKED).get());
            held.write(new JournalRecord(JournalState.SETTLED, 1, true, ""));
            assertEquals(new Message.Refused(1, "no grant in time"), answers.answer(ASKED).get());
        }
    }

    /** Whoever had it is dead, and so is a guest that lived in it. */
    @Test
    void whatWasLeftIsFinishedFirst() throws Exception {
        journal(JournalState.PREPARED, JournalState.REFUSED).close();
        assertEquals(new Message.Refused(1, "no grant in time"), answers.answer(ASKED).get());
    }

    @Test
    void thatItRunsIsSaidAtOnce() throws Exception {
        try (FileJournal held = journal(JournalState.PREPARED, JournalState.ACTIVE,
                JournalState.RUNNING)) {
            assertEquals(3, held.records().size());
            assertEquals(new Message.Running(1, 0), answers.answer(ASKED).get());
        }
    }

    /** Its monitor takes the connection and says nothing: it holds up nobody but who asked. */
    @Test
    void aGuestThatDoesNotAnswerHoldsUpItsOwnRecoveryAlone() throws Exception {
        Path monitor = folder.resolve("qmp");
        Process guest = new ProcessBuilder("sleep", "1000").start();
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(monitor));
            Map<String, String> address = new HashMap<>(Map.of("qmp", monitor.toString(),
                    JournalHeader.IDENTITY, "process:" + guest.pid()));
            new ProcessInstance(guest.pid(), Processes.startTicks(guest.pid()).orElseThrow())
                    .putInto(address);
            journal("qemu:" + monitor, address, JournalState.PREPARED, JournalState.ACTIVE)
                    .close();
            try (StatusAnswers lending = new StatusAnswers(directory, line -> { }, any -> true)) {
                CompletableFuture<Message> answer = lending.answer(ASKED);
                try (SocketChannel connection = server.accept()) {
                    assertFalse(answer.isDone());
                    assertTrue(lending.isLent() && connection.isOpen());
                    assertInstanceOf(Message.StatusUnknown.class, lending.answer(
                            new Message.Status(new UUID(3, 4), 1)).getNow(null));
                }
                assertInstanceOf(Message.StatusUnknown.class, answer.get());
                assertFalse(lending.isLent());
            }
        } finally {
            guest.destroyForcibly().waitFor();
        }
    }
}
