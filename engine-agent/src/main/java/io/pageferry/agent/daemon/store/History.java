package io.pageferry.agent.daemon.store;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.LongSupplier;

/**
 * What became of migrations, one file each, in the folder {@code history} of a state directory:
 * {@code DATE-ID.SIDE.json}, the resource as it was last. Safe for any thread.
 */
public final class History {
    private static final String FOLDER = "history";
    private static final String ENDING = ".json";
    private static final String NEW = ".new";
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final int DATE_LENGTH = 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final HistoryLimits limits;
    private final LongSupplier clockMillis;
    /** Sizes by name, which begins with the date. */
    private final NavigableMap<String, Long> files = new TreeMap<>();

    private History(Path folder, HistoryLimits limits, LongSupplier clockMillis) {
        this.folder = folder;
        this.limits = limits;
        this.clockMillis = clockMillis;
    }

    /**
     * Opens the history of a state directory, made when it is not there.
     *
     * @param stateDirectory of one agent alone
     * @param limits         what is kept
     * @param clockMillis    since 1970
     * @return the history
     * @throws IOException when it cannot be made or read
     */
    public static History open(Path stateDirectory, HistoryLimits limits, LongSupplier clockMillis)
            throws IOException {
        Path folder = stateDirectory.resolve(FOLDER);
        PrivateFiles.createFolders(folder);
        History history = new History(folder, limits, clockMillis);
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder)) {
            for (Path file : found) {
                String name = file.getFileName().toString();
                if (name.endsWith(ENDING)) {
                    history.files.put(name, Files.size(file));
                } else if (name.endsWith(NEW)) {
                    Files.delete(file);
                }
            }
        }
        history.prune();
        return history;
    }

    /**
     * Writes how a migration ended, in place of what was written of it before.
     *
     * @param id       names it
     * @param side     whose word it is
     * @param millis   when it ended, since 1970
     * @param resource all that is to be kept
     * @throws IOException when it cannot be written
     */
    public synchronized void write(UUID id, String side, long millis, ObjectNode resource)
            throws IOException {
        Optional<String> before = name(id, side);
        String name = DATE.format(Instant.ofEpochMilli(millis)) + "-" + id + "." + side + ENDING;
        byte[] bytes = JSON.writeValueAsBytes(resource);
        // Whole or not at all, whatever ends this process.
        Path fresh = folder.resolve(name + NEW);
        PrivateFiles.replace(fresh, bytes);
        Files.move(fresh, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        files.put(name, (long) bytes.length);
        if (before.isPresent() && !before.get().equals(name)) {
            remove(before.get());
        }
        prune();
    }

    /**
     * Reads what became of a migration.
     *
     * @param id   names it
     * @param side whose word
     * @return the resource; empty where nothing is kept of it, or that cannot be read
     */
    public synchronized Optional<ObjectNode> find(UUID id, String side) {
        return name(id, side).flatMap(this::read);
    }

    /**
     * Returns whether it is known how a migration ended. Reads no more than the beginning of what
     * is kept.
     *
     * @param id   names it
     * @param side whose word
     * @return whether something is kept of it, and says that it is not in doubt
     */
    public synchronized boolean isDecided(UUID id, Side side) {
        return name(id, side.label()).filter(name -> {
            try (JsonParser file = JSON.createParser(folder.resolve(name).toFile())) {
                return isDecided(file);
            } catch (IOException e) {
                // It is written anew then.
                return false;
            }
        }).isPresent();
    }

    /** The result stands before the report, which has one too. */
    private static boolean isDecided(JsonParser resource) throws IOException {
        if (resource.nextToken() != JsonToken.START_OBJECT) {
            return false;
        }
        while (resource.nextToken() == JsonToken.FIELD_NAME) {
            boolean result = resource.currentName().equals("result");
            resource.nextToken();
            if (result) {
                return resource.currentToken() == JsonToken.VALUE_STRING
                        && !resource.getText().equals(Result.IN_DOUBT.label());
            }
            resource.skipChildren();
        }
        return false;
    }

    /**
     * Reads the last ones.
     *
     * @param most how many
     * @return resources, the newest first; without those that cannot be read
     */
    public synchronized List<ObjectNode> latest(int most) {
        List<ObjectNode> found = new ArrayList<>();
        for (String name : files.descendingKeySet()) {
            if (found.size() >= most) {
                break;
            }
            read(name).ifPresent(found::add);
        }
        return found;
    }

    private Optional<String> name(UUID id, String side) {
        String end = id + "." + side + ENDING;
        return files.descendingKeySet().stream().filter(name -> name.endsWith(end)).findFirst();
    }

    /** Empty for a file that somebody deleted or broke: that is no trouble of who asks. */
    private Optional<ObjectNode> read(String name) {
        try {
            JsonNode json = JSON.readTree(Files.readAllBytes(folder.resolve(name)));
            return json instanceof ObjectNode resource ? Optional.of(resource) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private void prune() throws IOException {
        long bytes = files.values().stream().mapToLong(Long::longValue).sum();
        long oldest = clockMillis.getAsLong() - limits.age().toMillis();
        Iterator<Map.Entry<String, Long>> oldestFirst = files.entrySet().iterator();
        while (oldestFirst.hasNext()) {
            Map.Entry<String, Long> next = oldestFirst.next();
            if (bytes <= limits.bytes() && millis(next.getKey()) >= oldest) {
                return;
            }
            Files.deleteIfExists(folder.resolve(next.getKey()));
            bytes -= next.getValue();
            oldestFirst.remove();
        }
    }

    private void remove(String name) throws IOException {
        Files.deleteIfExists(folder.resolve(name));
        files.remove(name);
    }

    /** Whatever has no date of ours counts as old. */
    private static long millis(String name) {
        try {
            return Instant.from(DATE.parse(name.substring(0, Math.min(DATE_LENGTH,
                    name.length())))).toEpochMilli();
        } catch (DateTimeParseException e) {
            return 0;
        }
    }
}
