package io.pageferry.agent.host.machine.prepare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What files of a system were before it was prepared, in a file of that system. Durable before the
 * first of them is changed. What was prepared twice is undone to what was there first, unless
 * somebody else changed it in between: then to what he wrote.
 */
final class PrepareRecord {
    static final String PATH = "/var/lib/pageferry/prepared.json";

    private static final String SCHEMA = "pageferry.prepared/1";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SystemTree tree;

    PrepareRecord(SystemTree tree) {
        this.tree = tree;
    }

    /** {@return what was changed, in that order; nothing where nothing was} */
    List<Edits.Edit> read() throws IOException {
        Path file = tree.resolve(PATH);
        if (!Files.exists(file)) {
            return List.of();
        }
        try {
            JsonNode all = JSON.readTree(Files.readString(file, StandardCharsets.UTF_8));
            if (!SCHEMA.equals(all.path("schema").asText())) {
                throw new IOException(PATH + " is of another version");
            }
            List<Edits.Edit> edits = new ArrayList<>();
            for (JsonNode one : all.path("files")) {
                edits.add(new Edits.Edit(one.path("path").asText(), text(one.path("before")),
                        text(one.path("after")), one.path("mode").asInt(),
                        one.path("what").asText()));
            }
            return edits;
        } catch (JsonProcessingException e) {
            throw new IOException(PATH + " is damaged: " + e.getOriginalMessage(), e);
        }
    }

    private static String text(JsonNode node) {
        return node.isTextual() ? node.asText() : null;
    }

    /**
     * Writes changes down that are to be made.
     *
     * @return the paths of files that somebody changed since they were prepared before
     */
    List<String> add(List<Edits.Edit> edits) throws IOException {
        List<String> changedSince = new ArrayList<>();
        Map<String, Edits.Edit> all = new LinkedHashMap<>();
        read().forEach(one -> all.put(one.path(), one));
        for (Edits.Edit one : edits) {
            Edits.Edit earlier = all.get(one.path());
            boolean isOurs = earlier != null && Objects.equals(earlier.after(), one.before());
            if (earlier != null && !isOurs && !Objects.equals(earlier.before(), one.before())) {
                changedSince.add(one.path());
            }
            all.put(one.path(), isOurs ? new Edits.Edit(one.path(), earlier.before(), one.after(),
                    one.mode(), one.what()) : one);
        }
        if (all.isEmpty()) {
            return changedSince;
        }
        ObjectNode top = JSON.createObjectNode().put("schema", SCHEMA);
        for (Edits.Edit one : all.values()) {
            top.withArray("files").addObject().put("path", one.path()).put("before", one.before())
                    .put("after", one.after()).put("mode", one.mode()).put("what", one.what());
        }
        Path file = tree.resolve(PATH);
        PrivateFiles.createFolders(file.getParent());
        PrivateFiles.exchange(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(top));
        return changedSince;
    }

    /** Deletes it: nothing is left to be undone. */
    void delete() throws IOException {
        Files.deleteIfExists(tree.resolve(PATH));
    }
}
