package io.pageferry.agent.state.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Ownership;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * A journal in a file: one line of JSON for the header and for each record, each with its CRC32C
 * behind a tab. A record counts once its line is whole; a torn last line, which has no line end, is
 * left out. A line that has one and a wrong sum was durable once: such a journal cannot be read at
 * all, because a record before it would be taken for the last decision.
 *
 * <p>Writing needs the journal's lock, which {@link StateDirectory} takes; reading does not. Where
 * another process wrote all the same, nothing more is written.
 */
public final class FileJournal implements MigrationJournal {
    /** What lacks a member decides nothing: 0 and null would be taken for a decision. */
    private static final ObjectMapper JSON = new ObjectMapper().enable(
            DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES,
            DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES,
            DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES,
            DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final Path path;
    private final HeldLock lock;
    /**
     * Appends, whatever another process does to the file. No channel: an interrupt of the writing
     * thread would close that.
     */
    private final FileOutputStream file;
    private final JournalHeader header;
    private final List<JournalRecord> records;
    private Extent known;

    private FileJournal(Path path, HeldLock lock, FileOutputStream file, Contents contents)
            throws IOException {
        this.path = path;
        this.lock = lock;
        this.file = file;
        this.header = contents.header();
        this.records = contents.records();
        this.known = Extent.of(path);
    }

    /** Which file stands at a path, and how long it is. */
    private record Extent(Object key, long length) {
        static Extent of(Path path) throws IOException {
            BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
            return new Extent(now.fileKey(), now.size());
        }
    }

    /** What a file holds. */
    record Contents(JournalHeader header, List<JournalRecord> records, long length) { }

    /** Makes a new file with a header, durable on return. The lock passes to the journal. */
    static FileJournal create(Path path, HeldLock lock, JournalHeader header) throws IOException {
        PrivateFiles.create(path);
        FileOutputStream file = new FileOutputStream(path.toFile(), true);
        try {
            append(file, line(header));
            syncDirectory(path.getParent());
            return new FileJournal(path, lock, file,
                    new Contents(header, new ArrayList<>(), 0));
        } catch (IOException e) {
            file.close();
            Files.deleteIfExists(path);
            throw e;
        }
    }

    /** Opens a file to go on with it. A torn last line is cut off. The lock passes to it. */
    static FileJournal resume(Path path, HeldLock lock) throws IOException {
        Contents contents = load(path);
        cutOff(path, contents.length());
        return new FileJournal(path, lock, new FileOutputStream(path.toFile(), true), contents);
    }

    /**
     * Reads a file without locking it.
     *
     * @param path a journal
     * @return its present content; cannot be written
     * @throws IOException when it cannot be read, or has no whole header
     */
    public static FileJournal read(Path path) throws IOException {
        return new FileJournal(path, null, null, load(path));
    }

    @Override
    public synchronized void write(JournalRecord entry) throws IOException {
        if (file == null) {
            throw new IOException(path + " was opened for reading");
        }
        requireKnown();
        boolean whole = false;
        try {
            int bytes = append(file, line(entry));
            records.add(entry);
            known = new Extent(known.key(), known.length() + bytes);
            whole = true;
        } finally {
            if (!whole) {
                cutOff(path, known.length());
            }
        }
    }

    /** Two writers would each decide by its own records. */
    private void requireKnown() throws IOException {
        Extent now;
        try {
            now = Extent.of(path);
        } catch (NoSuchFileException e) {
            throw new IOException(path + " was deleted while its migration is under way", e);
        }
        if (!now.equals(known)) {
            throw new IOException(path + " was changed by somebody else, so nothing more is"
                    + " written to it: it has " + now.length() + " bytes"
                    + (now.length() == known.length() ? " and is another file"
                    : " where " + known.length() + " were written"));
        }
    }

    /** The part of a record that a full disk took would hide every later record. */
    private static void cutOff(Path path, long end) throws IOException {
        try (RandomAccessFile whole = new RandomAccessFile(path.toFile(), "rw")) {
            whole.setLength(end);
        }
    }

    @Override
    public synchronized Optional<JournalRecord> last() {
        return records.isEmpty() ? Optional.empty() : Optional.of(records.getLast());
    }

    @Override
    public synchronized Optional<JournalRecord> decision() {
        return MemoryJournal.decision(records);
    }

    @Override
    public synchronized Ownership ownership() {
        return Ownership.of(header.side(), this);
    }

    /** {@return why the guest is still to be let go on here, where that is what is left to do} */
    public synchronized Optional<String> pending() {
        Ownership now = ownership();
        return now.settled() || now.state() != JournalState.OWNED ? Optional.empty()
                : now.decision().map(JournalRecord::note).filter(note -> !note.isBlank())
                .map(note -> "the guest is to go on here: " + note);
    }

    /** {@return the first line} */
    public JournalHeader header() {
        return header;
    }

    /** {@return the records so far, unmodifiable} */
    public synchronized List<JournalRecord> records() {
        return Collections.unmodifiableList(new ArrayList<>(records));
    }

    /** {@return its file} */
    public Path path() {
        return path;
    }

    @Override
    public void delete() throws IOException {
        Files.deleteIfExists(path);
    }

    /** Gives file and lock back. Idempotent. */
    @Override
    public void close() {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            // Every record was synced when it was written.
        }
        if (lock != null) {
            lock.close();
        }
    }

    /** Whether there is a whole line: one that has none is of a migration that never began. */
    static boolean hasBegun(Path path) throws IOException {
        return newline(Files.readAllBytes(path), 0) >= 0;
    }

    private static Contents load(Path path) throws IOException {
        return parse(path, Files.readAllBytes(path));
    }

    /** Reads what a file holds; the path is for messages alone. */
    static Contents parse(Path path, byte[] bytes) throws IOException {
        JournalHeader header = null;
        List<JournalRecord> records = new ArrayList<>();
        int start = 0;
        for (int end = newline(bytes, 0); end >= 0; end = newline(bytes, start)) {
            String text = checked(new String(bytes, start, end - start, StandardCharsets.UTF_8));
            if (text == null) {
                throw new IOException(path + " is damaged in line "
                        + (header == null ? 1 : records.size() + 2) + ", so what was decided last"
                        + " cannot be told and nothing is done by it: look which side runs the"
                        + " guest, and say cont or quit at the monitors by hand");
            }
            if (header == null) {
                header = whole(path, text, JournalHeader.class);
            } else {
                records.add(fitting(path, header, whole(path, text, JournalRecord.class)));
            }
            start = end + 1;
        }
        if (header == null) {
            throw new IOException(path + " has no whole first line: its migration never began");
        }
        if (!JournalHeader.SCHEMA.equals(header.schema())
                || header.recoveryAddress().containsValue(null)) {
            throw new IOException(path + " is no journal of this version");
        }
        return new Contents(header, records, start);
    }

    /** The line was written as it is; so it is another version's where a member is missing. */
    private static <T> T whole(Path path, String text, Class<T> type) throws IOException {
        try {
            T read = JSON.readValue(text, type);
            if (read == null) {
                throw new IOException(path + " is no journal of this version: it has a line null");
            }
            return read;
        } catch (JsonProcessingException e) {
            throw new IOException(path + " is no journal of this version: "
                    + e.getOriginalMessage(), e);
        }
    }

    private static JournalRecord fitting(Path path, JournalHeader header, JournalRecord entry)
            throws IOException {
        if (!Ownership.fits(header.side(), entry.state())) {
            throw new IOException(path + " has a record " + entry.state() + ", which no "
                    + header.side() + " writes");
        }
        return entry;
    }

    private static int newline(byte[] bytes, int from) {
        for (int i = from; i < bytes.length; i++) {
            if (bytes[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    static String line(Object value) throws JsonProcessingException {
        String text = JSON.writeValueAsString(value);
        return text + "\t" + sum(text) + "\n";
    }

    private static String checked(String line) {
        int tab = line.lastIndexOf('\t');
        if (tab < 0 || !line.substring(tab + 1).equals(sum(line.substring(0, tab)))) {
            return null;
        }
        return line.substring(0, tab);
    }

    private static String sum(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }

    private static int append(FileOutputStream file, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        file.write(bytes);
        file.getFD().sync();
        return bytes.length;
    }

    private static void syncDirectory(Path directory) throws IOException {
        boolean interrupted = Thread.interrupted();
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
