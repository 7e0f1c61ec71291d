package io.pageferry.agent.state.journal;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is made of a journal that somebody or something changed. */
class FileJournalTest {
    private static final UUID MIGRATION = new UUID(1, 2);
    private static final List<JournalRecord> RECORDS = List.of(
            new JournalRecord(JournalState.SWITCHOVER, 1, true, ""),
            new JournalRecord(JournalState.GRANTED, 1, true, ""));

    /** {@code O_APPEND} of {@code asm-generic/fcntl.h}. */
    private static final int APPEND = 02000;

    @TempDir
    Path folder;

    private StateDirectory directory;
    private Path path;

    @BeforeEach
    void write() throws IOException {
        directory = StateDirectory.open(folder);
        try (FileJournal journal = directory.create(new JournalHeader(JournalHeader.SCHEMA,
                MIGRATION, Side.SOURCE, "workload:1MiB", "127.0.0.1:1", 0, Map.of()))) {
            for (JournalRecord one : RECORDS) {
                journal.write(one);
            }
            path = journal.path();
        }
    }

    /** A crash leaves it so: the record was not durable, and nothing was done for it. */
    @Test
    void aTornEndIsLeftOut() throws IOException {
        byte[] whole = Files.readAllBytes(path);
        Files.write(path, Arrays.copyOf(whole, whole.length - 1));
        try (FileJournal journal = directory.takeOver(MIGRATION, Side.SOURCE).orElseThrow()) {
            assertEquals(RECORDS.subList(0, 1), journal.records());
            journal.write(RECORDS.getLast());
        }
        assertEquals(RECORDS, FileJournal.read(path).records());
    }

    /** By SWITCHOVER alone a guest would be resumed that the target may run. */
    @Test
    void aDamagedLineIsNeverLeftOut() throws IOException {
        byte[] whole = Files.readAllBytes(path);
        for (int line = 1; line <= 3; line++) {
            byte[] damaged = whole.clone();
            damaged[start(whole, line) + 20] ^= 1;
            Files.write(path, damaged);
            String where = " is damaged in line " + line;
            assertTrue(assertThrows(IOException.class,
                    () -> directory.takeOver(MIGRATION, Side.SOURCE)).getMessage()
                    .startsWith(path + where), where);
            assertTrue(assertThrows(IOException.class, () -> FileJournal.read(path))
                    .getMessage().startsWith(path + where), where);
            List<String> told = new ArrayList<>();
            assertEquals(List.of(), directory.all(told::add));
            assertTrue(told.getFirst().contains(where), told::toString);
            assertEquals(damaged.length, Files.size(path));
        }
        Files.write(path, whole);
        assertEquals(RECORDS, FileJournal.read(path).records());
    }

    /** What it says more may decide: nothing is done by it, and why is said. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "1 | {\"schema\"         | {\"tenant\":1,\"schema\" | Unrecognized field \"tenant\"",
        "1 | pageferry.journal/1 | pageferry.journal/2     | is no journal of this version",
        "2 | {\"state\"          | {\"lease\":7,\"state\"   | Unrecognized field \"lease\"",
        "2 | SWITCHOVER          | POSTCOPY                | \"POSTCOPY\"",
    })
    void whatANewerVersionWroteIsNotActedUpon(int line, String ours, String newer, String why)
            throws IOException {
        List<String> lines = new ArrayList<>(Files.readAllLines(path));
        String text = lines.get(line - 1).split("\t")[0];
        assertTrue(text.contains(ours), text);
        CRC32C sum = new CRC32C();
        String other = text.replace(ours, newer);
        sum.update(other.getBytes(StandardCharsets.UTF_8));
        lines.set(line - 1, other + "\t" + String.format("%08x", sum.getValue()));
        Files.writeString(path, String.join("\n", lines) + "\n");
        String said = assertThrows(IOException.class,
                () -> directory.takeOver(MIGRATION, Side.SOURCE)).getMessage();
        assertTrue(said.startsWith(path + " is no journal of this version"), said);
        assertTrue(said.contains(why), said);
        assertEquals(List.of(new StateDirectory.Unreadable(MIGRATION, Side.SOURCE, said)),
                directory.unreadable());
    }

    @Test
    void whatNeverBeganOrIsNoJournalIsNotUnreadable() throws IOException {
        Files.writeString(path, "{\"schema\"");
        Files.writeString(folder.resolve("x.journal"), "x\n");
        assertEquals(List.of(), directory.unreadable());
    }

    /** Two who write would each go by the records of its own. */
    @Test
    void whatSomebodyElseChangedIsNotWrittenTo() throws IOException {
        byte[] whole = Files.readAllBytes(path);
        refused(() -> Files.write(path, new byte[] {'x'}, StandardOpenOption.APPEND),
                "was changed by somebody else", whole.length + 1);
        refused(() -> Files.write(path, Arrays.copyOf(whole, start(whole, 3))),
                "was changed by somebody else", start(whole, 3));
        refused(() -> {
            Files.delete(path);
            Files.write(path, whole);
        }, "is another file", whole.length);
        refused(() -> Files.delete(path), "was deleted", -1);
    }

    private void refused(Executable change, String why, long length) throws IOException {
        byte[] whole = Files.readAllBytes(path);
        try (FileJournal journal = directory.takeOver(MIGRATION, Side.SOURCE).orElseThrow()) {
            assertDoesNotThrow(change);
            String said = assertThrows(IOException.class, () -> journal.write(
                    new JournalRecord(JournalState.DONE, 1, true, ""))).getMessage();
            assertTrue(said.startsWith(path.toString()) && said.contains(why), said);
            assertEquals(RECORDS, journal.records());
            assertEquals(length, Files.exists(path) ? Files.size(path) : -1);
        }
        Files.write(path, whole);
    }

    /** Whoever writes in spite of the lock overwrites no record, and none of his is overwritten. */
    @Test
    void recordsAreAppended() throws IOException {
        try (FileJournal journal = directory.takeOver(MIGRATION, Side.SOURCE).orElseThrow();
                DirectoryStream<Path> open =
                        Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            int found = 0;
            for (Path one : open) {
                if (Files.exists(one) && Files.isSameFile(one, journal.path())) {
                    String flags = Files.readAllLines(Path.of("/proc/self/fdinfo",
                            one.getFileName().toString())).get(1).split("\\s+")[1];
                    assertEquals(APPEND, Integer.parseInt(flags, 8) & APPEND, flags);
                    found++;
                }
            }
            assertEquals(1, found);
        }
    }

    private static int start(byte[] bytes, int line) {
        int at = 0;
        for (int i = 1; i < line; at++) {
            i += bytes[at] == '\n' ? 1 : 0;
        }
        return at;
    }
}
