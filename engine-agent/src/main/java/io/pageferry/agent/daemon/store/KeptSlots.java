package io.pageferry.agent.daemon.store;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.host.linux.PrivateFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The slots of an agent and the guests that they wait for, as callers named them, in the file
 * {@code slots.json} of its state directory: an agent that starts opens them again. Safe for any
 * thread.
 */
public final class KeptSlots {
    private static final String FILE = "slots.json";
    private static final String SCHEMA = "pageferry.slots/1";
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final Path file;
    private final SortedMap<String, String> guests;

    /** What a newer version says more, older ones do without: it is a place that waits. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Contents(String schema, Map<String, String> slots) { }

    private KeptSlots(Path file, Map<String, String> guests) {
        this.file = file;
        this.guests = new TreeMap<>(guests);
    }

    /**
     * Opens those of a state directory.
     *
     * @param stateDirectory of one agent alone
     * @return them; none where there is no file
     * @throws IOException with one line, where the file cannot be read, or is none of this schema
     */
    public static KeptSlots open(Path stateDirectory) throws IOException {
        Path file = stateDirectory.resolve(FILE);
        try {
            Contents contents = JSON.readValue(Files.readAllBytes(file), Contents.class);
            if (contents == null || !SCHEMA.equals(contents.schema())
                    || contents.slots() == null || contents.slots().containsValue(null)) {
                throw new IOException(file + " is no list of slots of this version (" + SCHEMA
                        + "): start the version that wrote it, or move the file away and PUT the"
                        + " slots again");
            }
            return new KeptSlots(file, contents.slots());
        } catch (NoSuchFileException e) {
            return new KeptSlots(file, Map.of());
        } catch (JsonProcessingException e) {
            throw new IOException(file + " is damaged (" + e.getOriginalMessage()
                    + "): move it away and PUT the slots again", e);
        }
    }

    /** {@return guests by the names of slots} */
    public synchronized Map<String, String> all() {
        return new TreeMap<>(guests);
    }

    /**
     * Keeps a slot; durable on return.
     *
     * @param name  of the slot
     * @param guest that it waits for
     * @throws IOException when it cannot be written; nothing is changed then
     */
    public synchronized void put(String name, String guest) throws IOException {
        SortedMap<String, String> next = new TreeMap<>(guests);
        if (!guest.equals(next.put(name, guest))) {
            write(next);
        }
    }

    /**
     * Keeps a slot no more; durable on return.
     *
     * @param name of the slot, kept or not
     * @throws IOException when it cannot be written; nothing is changed then
     */
    public synchronized void remove(String name) throws IOException {
        SortedMap<String, String> next = new TreeMap<>(guests);
        if (next.remove(name) != null) {
            write(next);
        }
    }

    private void write(SortedMap<String, String> next) throws IOException {
        Path fresh = file.resolveSibling(FILE + ".new");
        PrivateFiles.replace(fresh, JSON.writeValueAsBytes(new Contents(SCHEMA, next)));
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        guests.clear();
        guests.putAll(next);
    }
}
