package io.pageferry.agent.host.machine.boot;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/**
 * Says, on a machine's own disk, that the machine may have been moved away: written durably
 * directly before its root is frozen, deleted whenever that is thawed. A journal is in memory then,
 * and lost by a reset; this is not. The target gets it too, and knows by its hardware that it is
 * the other one.
 */
public final class MoveMark {
    /** Where it is. */
    public static final String PATH = "/var/lib/pageferry/moving.json";

    private static final String SCHEMA = "pageferry.moving/1";
    private static final String HARDWARE = "/sys/class/dmi/id/product_uuid";
    private static final String IDENTITY = "[0-9A-Fa-f-]{36}";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SystemTree tree;

    /**
     * What it says.
     *
     * @param migration which
     * @param peer      its target, as journals name it
     * @param hardware  of the machine that is moved away
     */
    public record Mark(UUID migration, String peer, String hardware) { }

    /**
     * Makes the mark of a system; nothing is written.
     *
     * @param tree the system
     */
    public MoveMark(SystemTree tree) {
        this.tree = tree;
    }

    /** {@return that of this host} */
    public static MoveMark ofHost() {
        return new MoveMark(new SystemTree(Path.of("/")));
    }

    /**
     * Writes it where a boot would look for it: where {@link BootUnit} is.
     *
     * @param migration that may move the machine away
     * @param peer      its target
     * @throws IOException when it cannot be written; nothing may be granted then
     */
    public void writeIfWanted(UUID migration, String peer) throws IOException {
        if (tree.exists(BootUnit.PATH)) {
            write(migration, peer);
        }
    }

    /**
     * Tells this hardware from others.
     *
     * @return its UUID; empty where it has none of its own, or shows none: that says nothing of
     *         which hardware it is
     * @throws IOException when it cannot be read
     */
    public Optional<String> hardware() throws IOException {
        return tree.read(HARDWARE).map(String::strip)
                .filter(text -> text.matches(IDENTITY)
                        && text.matches(".*[1-9A-Ea-e].*"));
    }

    /**
     * Writes it, durable on return.
     *
     * @param migration that may move the machine away
     * @param peer      its target
     * @throws IOException when it cannot be written; nothing may be granted then
     */
    public void write(UUID migration, String peer) throws IOException {
        Path file = tree.resolve(PATH);
        PrivateFiles.createFolders(file.getParent());
        PrivateFiles.exchange(file, JSON.writeValueAsBytes(JSON.createObjectNode()
                .put("schema", SCHEMA).put("migration", migration.toString()).put("peer", peer)
                .put("hardware", hardware().orElseThrow(() -> new IOException(
                        "this hardware has no UUID by which a boot could tell it from the"
                                + " target's: " + HARDWARE)))));
    }

    /**
     * Reads the mark.
     *
     * @return what it says; empty where there is none
     * @throws IOException when it is damaged: then somebody has to look whose the machine is
     */
    public Optional<Mark> read() throws IOException {
        Path file = tree.resolve(PATH);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            JsonNode all = JSON.readTree(Files.readString(file, StandardCharsets.UTF_8));
            if (!SCHEMA.equals(all.path("schema").asText())) {
                throw new IOException(PATH + " is of another version");
            }
            if (!all.path("hardware").asText().matches(IDENTITY)) {
                throw new IOException(PATH + " is damaged: it names no hardware");
            }
            return Optional.of(new Mark(UUID.fromString(all.path("migration").asText()),
                    all.path("peer").asText(), all.path("hardware").asText()));
        } catch (JsonProcessingException e) {
            throw new IOException(PATH + " is damaged: " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new IOException(PATH + " is damaged: " + e.getMessage(), e);
        }
    }

    /**
     * Deletes it: the machine goes on here. Idempotent.
     *
     * @throws IOException when it cannot be deleted
     */
    public void delete() throws IOException {
        Files.deleteIfExists(tree.resolve(PATH));
    }
}
