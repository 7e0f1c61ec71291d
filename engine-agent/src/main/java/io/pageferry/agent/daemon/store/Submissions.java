package io.pageferry.agent.daemon.store;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.host.linux.PrivateFiles;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The moves that callers asked for, with the keys of those calls, one a line in the file
 * {@code submitted} of a state directory. A move is there before anybody hears of it, so that an
 * agent which starts knows those that never began, and a call that is repeated gets its answer.
 * Safe for any thread.
 */
public final class Submissions implements AutoCloseable {
    /** Of those that ended, so many are remembered. */
    private static final int MOST = 1000;

    private static final String FILE = "submitted";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final Map<UUID, Submission> all = new LinkedHashMap<>();
    private final Map<String, UUID> keys = new HashMap<>();
    /** No channel: an interrupt of the writing thread would close that. */
    private FileOutputStream out;
    private long lines;
    private boolean torn;

    /**
     * A move that was asked for, or that such a one has ended.
     *
     * @param id      names it
     * @param key     of the call; empty for none
     * @param guest   as the call named it
     * @param to      target
     * @param slot    there, or empty
     * @param options words by name
     * @param ended   whether it is known what became of it
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    public record Submission(UUID id, String key, String guest, String to, String slot,
            Map<String, String> options, boolean ended) {
        /** Takes what is missing for empty. */
        public Submission {
            key = key == null ? "" : key;
            guest = guest == null ? "" : guest;
            to = to == null ? "" : to;
            slot = slot == null ? "" : slot;
            options = options == null ? Map.of() : Map.copyOf(options);
        }

        Submission over() {
            return new Submission(id, key, guest, to, slot, options, true);
        }
    }

    private Submissions(Path file) {
        this.file = file;
    }

    /**
     * Opens those of a state directory.
     *
     * @param stateDirectory of one agent alone
     * @return them; none where there is no file
     * @throws IOException when the file cannot be read or written
     */
    public static Submissions open(Path stateDirectory) throws IOException {
        Path file = stateDirectory.resolve(FILE);
        PrivateFiles.createIfMissing(file);
        String text = Files.readString(file, StandardCharsets.UTF_8);
        Submissions submissions = new Submissions(file);
        text.lines().forEach(submissions::read);
        submissions.torn = !text.isEmpty() && !text.endsWith("\n");
        submissions.out = new FileOutputStream(file.toFile(), true);
        return submissions;
    }

    /** The end of a line may be missing where the agent, or its host, ended in it. */
    private void read(String line) {
        lines++;
        try {
            Submission one = JSON.readValue(line, Submission.class);
            if (one != null && one.id() != null) {
                note(one);
            }
        } catch (JsonProcessingException e) {
            // Nobody was told of it: it was written as a whole before.
            return;
        }
    }

    private void note(Submission one) {
        Submission before = all.get(one.id());
        Submission now = before != null && one.ended() ? before.over() : one;
        all.put(now.id(), now);
        if (!now.key().isEmpty()) {
            keys.put(now.key(), now.id());
        }
        Iterator<Submission> oldestFirst = all.values().iterator();
        for (int more = all.size() - MOST; more > 0 && oldestFirst.hasNext();) {
            Submission old = oldestFirst.next();
            if (old.ended()) {
                oldestFirst.remove();
                keys.remove(old.key(), old.id());
                more--;
            }
        }
    }

    /** {@return those of which nobody noted the end, oldest first} */
    public synchronized List<Submission> notEnded() {
        return all.values().stream().filter(one -> !one.ended()).toList();
    }

    /**
     * Finds a move by the key of its call.
     *
     * @param key of the call
     * @return it; empty where the key is new, or older than a thousand moves
     */
    public synchronized Optional<Submission> find(String key) {
        return Optional.ofNullable(keys.get(key)).map(all::get);
    }

    /**
     * Finds a move by its name.
     *
     * @param id names it
     * @return it; empty where it was not asked for here, or too long ago
     */
    public synchronized Optional<Submission> find(UUID id) {
        return Optional.ofNullable(all.get(id));
    }

    /**
     * Adds a move; durable on return.
     *
     * @param one not begun yet
     * @throws IOException when it cannot be written: it must not begin then
     */
    public synchronized void add(Submission one) throws IOException {
        append(one);
        out.getFD().sync();
        note(one);
    }

    /**
     * Notes that it is known what became of a move.
     *
     * @param id of a move, asked for here or not
     * @throws IOException when it cannot be written; it is known in this process all the same
     */
    public synchronized void end(UUID id) throws IOException {
        Submission one = all.get(id);
        if (one == null || one.ended()) {
            return;
        }
        note(one.over());
        append(new Submission(id, "", "", "", "", Map.of(), true));
        if (lines > 2L * MOST) {
            rewrite();
        }
    }

    private void append(Submission one) throws IOException {
        byte[] line = line(one);
        try {
            if (torn) {
                out.write('\n');
            }
            // Half a line must not take the next one with it.
            torn = true;
            out.write(line);
            torn = false;
        } finally {
            lines++;
        }
    }

    private static byte[] line(Submission one) throws IOException {
        return (JSON.writeValueAsString(one) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private void rewrite() throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (Submission one : all.values()) {
            text.writeBytes(line(one));
        }
        Path fresh = file.resolveSibling(FILE + ".new");
        PrivateFiles.replace(fresh, text.toByteArray());
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        out.close();
        out = new FileOutputStream(file.toFile(), true);
        lines = all.size();
    }

    @Override
    public synchronized void close() throws IOException {
        out.close();
    }
}
